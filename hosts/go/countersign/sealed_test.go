package countersign

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
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
	built, err := os.ReadFile("../../../dist/countersign.wasm")
	if err != nil {
		t.Fatalf("run `cargo xtask build` first: %v", err)
	}
	want(t, "digest", SHA256(), digest(built))
}

func TestAFileWithAnotherDigestIsNotRun(t *testing.T) {
	broken := append(bytes.Clone(sealed), 0)
	_, err := load(engineConfig{}, broken, SHA256())
	if err == nil || !strings.Contains(err.Error(), digest(broken)) || !strings.Contains(err.Error(), SHA256()) {
		t.Errorf("got %v, want an error with both digests", err)
	}
}

// moduleWith returns a module that imports `module.name` and exports it under
// these names: (module (import "module" "name" (func)) (export "…" (func 0)) …).
func moduleWith(module, name string, exports ...string) []byte {
	text := func(s string) string { return string(rune(len(s))) + s }
	section := func(id byte, items int, content string) string {
		content = string(rune(items)) + content
		return string(rune(id)) + string(binary.AppendUvarint(nil, uint64(len(content)))) + content
	}
	var exported string
	for _, export := range exports {
		exported += text(export) + "\x00\x00"
	}
	return []byte("\x00asm\x01\x00\x00\x00" + section(1, 1, "\x60\x00\x00") +
		section(2, 1, text(module)+text(name)+"\x00\x00") + section(7, len(exports), exported))
}

func TestAModuleWithAnotherImportIsNotRun(t *testing.T) {
	_, err := compile(engineConfig{}, moduleWith("clock", "now", "countersign:gate/gate@0.1.0#check"))
	if err == nil || err.Error() != "the module imports `clock.now`" {
		t.Errorf("got %v", err)
	}
}

func TestAFileWithAnotherInterfaceIsNotRun(t *testing.T) {
	for _, test := range []struct {
		exports []string
		want    string
	}{
		{nil, "the file has no interface countersign:gate, this host needs countersign:gate@0.1.0"},
		{
			[]string{"countersign:gate/gate@0.2.0#check", "countersign:gate/gate@0.2.0#open"},
			"the file has interface countersign:gate@0.2.0, this host needs countersign:gate@0.1.0",
		},
		{
			[]string{"countersign:gate/gate@0.1.0-rc.1#check", "countersign:gate/gate@0.1.01#check"},
			"the file has interface countersign:gate@0.1.0-rc.1 and countersign:gate@0.1.01, this host needs countersign:gate@0.1.0",
		},
		{[]string{"countersign:gate/gate@0.2.0#check", "countersign:gate/gate@0.1.0#check"}, ""},
	} {
		_, err := compile(engineConfig{}, moduleWith("env", "proxy_log", test.exports...))
		var got string
		if err != nil {
			got = err.Error()
		}
		want(t, strings.Join(test.exports, ", "), got, test.want)
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
