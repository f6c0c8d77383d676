package countersign

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// The version of the Go Cryptographic Module that has a certificate, which
// every supported version of Go can build.
const certified = "v1.0.0"

// service builds internal/fips with a version of the Go Cryptographic Module.
func service(t *testing.T, version string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "service.exe")
	build := exec.Command("go", "build", "-o", program, "../internal/fips")
	build.Env = append(os.Environ(), "GOFIPS140="+version)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return program
}

// run runs the service in a mode of FIPS 140-3. It returns what it prints, and
// its errors.
func run(t *testing.T, program, mode string, input object, env ...string) (output struct {
	Verifier Verifier
	Codes    map[string]string
}, errors string,
) {
	t.Helper()
	command := exec.Command(program)
	command.Env = append(append(os.Environ(), "GODEBUG=fips140="+mode), env...)
	command.Stdin = strings.NewReader(text(input))
	var printed, failed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &failed
	if command.Run() == nil {
		if err := json.Unmarshal(printed.Bytes(), &output); err != nil {
			t.Fatal(err)
		}
	}
	return output, failed.String()
}

// An oddKey is a public key of an unusual size, with a token that is not signed
// by it.
type oddKey struct {
	token      string
	isApproved bool
}

// oddKeys returns an issuer whose keys are at and beyond the limits of FIPS
// 186-5 §5.1 and of libraries: even lengths, and the exponent 65537.
func oddKeys(t testing.TB) (issuer object, keys map[string]oddKey) {
	t.Helper()
	keys = map[string]oddKey{}
	var jwks []object
	claims := maps.Clone(claimsOfTests)
	claims["iss"] = "https://odd.example.com"
	for _, key := range []struct {
		bits       uint
		exponent   int64
		isApproved bool
	}{
		{2048, 65537, true}, {2050, 65537, true}, {2056, 65537, true}, {4094, 65537, true}, {8192, 65537, true},
		{2048, 3, false}, {2048, 17, false}, {2048, 65535, false}, {2048, 65539, false}, {2048, 1<<31 - 1, false}, {2048, 1<<31 + 1, false}, {2048, 1<<32 - 1, false},
		{2049, 65537, false}, {2055, 65537, false}, {8191, 65537, false},
	} {
		modulus := new(big.Int).Lsh(big.NewInt(1), key.bits-1)
		modulus.Add(modulus, big.NewInt(12345))
		kid := fmt.Sprint(key.bits, " bits, exponent ", key.exponent)
		encode := base64.RawURLEncoding.EncodeToString
		jwks = append(jwks, object{"kty": "RSA", "kid": kid, "alg": "RS256", "n": encode(modulus.Bytes()), "e": encode(big.NewInt(key.exponent).Bytes())})
		signature := make([]byte, len(modulus.Bytes()))
		signature[len(signature)-1] = 2
		token := encode([]byte(text(object{"alg": "RS256", "kid": kid}))) + "." + encode([]byte(text(claims))) + "." + encode(signature)
		keys[kid] = oddKey{token, key.isApproved}
	}
	return object{
		"name": "odd", "issuer": "https://odd.example.com", "audiences": []string{"api"},
		"algorithms": []string{"RS256"}, "keys": object{"jwks": object{"keys": jwks}},
	}, keys
}

func TestOnlyApprovedKeysAreVerifiedByGo(t *testing.T) {
	issuer, keys := oddKeys(t)
	counted := &counter{}
	gate := newGate(t, newClock(), policyOf(issuer), WithInstances(1), counted.option())
	var approved int64
	for name, key := range keys {
		want(t, name, check(t, gate, "/", key.token), "signature_invalid")
		if key.isApproved {
			approved++
		}
	}
	want(t, "asked about", counted.prepared.Load(), approved)
}

func TestAServiceUsesOnlyValidatedCryptography(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SSL_CERT_FILE is only read on Linux")
	}
	// One issuer's keys come by TLS.
	issuer := issuertest.New(t)
	server := httptest.NewTLSServer(issuer)
	defer server.Close()
	issuer.Answer("/jwks", issuertest.Document(issuertest.JWKS(t, keyB)))
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certificate, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	trusted := "SSL_CERT_FILE=" + certificate
	policy := allAlgorithms(t, object{"signatures": "native", "fips": true})
	policy["issuers"] = append(policy["issuers"].([]object), object{
		"name": "fetched", "issuer": "https://fetched.example.com", "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys": object{"jwks_uri": server.URL + "/jwks"},
	})

	tokens, wanted := map[string]string{}, map[string]string{}
	for _, one := range algorithms {
		tokens[one.name], wanted[one.name] = signed(t, one.name), "allow"
		tokens[one.name+" spoiled"], wanted[one.name+" spoiled"] = spoiled(tokens[one.name]), "signature_invalid"
	}
	claims := maps.Clone(claimsOfTests)
	claims["iss"] = "https://fetched.example.com"
	tokens["fetched"], wanted["fetched"] = issuertest.Sign(t, keyB, claims), "allow"
	// The mode refuses some keys, and the gate does not ask about these.
	issuerOfKeys, keys := oddKeys(t)
	policy["issuers"] = append(policy["issuers"].([]object), issuerOfKeys)
	for name, key := range keys {
		tokens[name], wanted[name] = key.token, "key_unknown"
		if key.isApproved {
			wanted[name] = "signature_invalid"
		}
	}
	input := object{"Policy": policy, "Signatures": Native, "NowMS": start.UnixMilli(), "Tokens": tokens}

	program := service(t, certified)
	for _, mode := range []string{"only", "on"} {
		output, errors := run(t, program, mode, input, trusted)
		want(t, mode+": "+errors, text(output.Codes), text(wanted))
		verifier := output.Verifier
		isFrozen := strings.HasPrefix(verifier.Version, certified)
		want(t, mode+": "+text(verifier), isFrozen && verifier.FIPS && verifier.Name == "Go Cryptographic Module", true)
	}
	sentence := "this host's cryptography is not a validated module, or not in its validated mode (FIPS 140-3) (signatures_unavailable)"
	_, errors := run(t, program, "off", input, trusted)
	want(t, "off: "+errors, strings.Contains(errors, sentence), true)
	// Go's own copy of the module is in the mode, but never validated.
	_, errors = run(t, service(t, "off"), "only", input, trusted)
	want(t, "latest: "+errors, strings.Contains(errors, sentence), true)
	input["Signatures"] = Module
	_, errors = run(t, program, "only", input, trusted)
	want(t, "module: "+errors, strings.Contains(errors, "(signatures_unavailable)"), true)
}
