package countersign

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

func digest(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

func TestTheEmbeddedFileHasThePublishedDigest(t *testing.T) {
	want(t, "digest", SHA256(), digest(sealed))
}

func TestTheEmbeddedFileIsTheOneThatWasBuilt(t *testing.T) {
	built, err := os.ReadFile("../../dist/countersign.wasm")
	if err != nil {
		t.Fatalf("run `cargo xtask build` first: %v", err)
	}
	want(t, "digest", SHA256(), digest(built))
}

func TestAModuleWithAnotherImportIsNotRun(t *testing.T) {
	// (module (import "clock" "now" (func)))
	module := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x02\x0d\x01\x05clock\x03now\x00\x00")
	if _, err := compile(engineConfig{}, module); err == nil {
		t.Error("it was compiled and linked")
	}
}

func TestAFunctionThatOnlyEnvoyProvidesTraps(t *testing.T) {
	engine, err := sealedEngine(engineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	guest, err := engine.instantiate()
	if err != nil {
		t.Fatal(err)
	}
	defer guest.close()
	// This callback of Envoy reads the request's headers from Envoy.
	callback := guest.module.ExportedFunction("proxy_on_configure")
	if _, err := callback.Call(t.Context(), 1, 1); err == nil {
		t.Error("a function that only Envoy provides has returned")
	}
}
