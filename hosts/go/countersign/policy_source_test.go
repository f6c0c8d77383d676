package countersign

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// A policySigner signs policies.
type policySigner struct{ key ed25519.PrivateKey }

func newPolicySigner(seed byte) policySigner {
	return policySigner{ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), 32)))}
}

func (s policySigner) trust() []byte {
	public := s.key.Public().(ed25519.PublicKey)
	return []byte(text(object{
		"keys":   []object{{"kty": "OKP", "crv": "Ed25519", "kid": "2026-a", "x": base64.RawURLEncoding.EncodeToString(public)}},
		"policy": "shop", "audience": "production",
	}))
}

func (s policySigner) sign(policy string, version int, more object) string {
	header := object{
		"typ": "countersign-policy+jws", "alg": "EdDSA", "kid": "2026-a",
		"policy": "shop", "aud": "production", "version": version, "exp": start.Unix() + 3600,
	}
	for name, value := range more {
		header[name] = value
	}
	encode := base64.RawURLEncoding.EncodeToString
	message := encode([]byte(text(header))) + "." + encode([]byte(policy))
	return message + "." + encode(ed25519.Sign(s.key, []byte(message)))
}

var quiet = WithLogger(slog.New(slog.DiscardHandler))

// inlineKeys is an issuer that needs no document.
func inlineKeys(t *testing.T) object {
	return object{
		"name": "platform", "issuer": "https://auth.example.com", "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys": object{"jwks": decoded[object](t, strings.NewReader(issuertest.JWKS(t, keyA)))},
	}
}

// publicPath is a policy in which only one path is public, so that a test sees
// which policy is in force.
func publicPath(t *testing.T, path string) string {
	return text(object{"contract": "1", "issuers": []object{inlineKeys(t)}, "rules": []object{{"path": path, "public": true}}})
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASignedPolicyIsPutInForceAndAWrongOneIsNot(t *testing.T) {
	clock, signer := newClock(), newPolicySigner('a')
	folder := t.TempDir()
	file, state := filepath.Join(folder, "policy.jws"), filepath.Join(folder, "state.json")
	var failures []error
	source := PolicySource{File: file, Trust: signer.trust(), StateFile: state, OnError: func(err error) { failures = append(failures, err) }}
	options := []Option{WithClock(clock.now), WithInstances(1), quiet}
	from := func() (*Gate, error) { return NewFrom(t.Context(), source, options...) }
	_, err := from()
	want(t, "no file", problemCode(err), "policy_unavailable")
	writeFile(t, file, signer.sign(publicPath(t, "/one"), 1, nil))
	gate, err := from()
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the first", check(t, gate, "/one", ""), "allow")
	writeFile(t, file, signer.sign(publicPath(t, "/three"), 3, nil))
	gate.lookAtSource()
	want(t, "the next", check(t, gate, "/three", ""), "allow")
	kept, _ := os.ReadFile(state)
	want(t, "state", string(kept), "{\"version\":3}\n")
	status, _ := gate.Status(t.Context())
	want(t, "version", status.Source.Version, 3)
	want(t, "expires", status.Source.Expires.Unix(), start.Unix()+3600)
	want(t, "kid", status.Source.KID, "2026-a")
	want(t, "last error", status.Source.LastError, "")

	for name, signed := range map[string]string{
		"signature_invalid": newPolicySigner('b').sign(publicPath(t, "/bad"), 4, nil),
		"audience_mismatch": signer.sign(publicPath(t, "/bad"), 4, object{"aud": "staging"}),
		"policy_mismatch":   signer.sign(publicPath(t, "/bad"), 4, object{"policy": "other"}),
		"version_old":       signer.sign(publicPath(t, "/bad"), 2, nil),
		"expired":           signer.sign(publicPath(t, "/bad"), 4, object{"exp": start.Unix() - 1}),
		"contract":          signer.sign("{}", 4, nil),
		"too large":         strings.Repeat("a", policyBytes+1),
	} {
		writeFile(t, file, signed)
		before := len(failures)
		gate.lookAtSource()
		want(t, name+": the old one stays", check(t, gate, "/three", ""), "allow")
		want(t, name+": told", len(failures), before+1)
		status, _ = gate.Status(t.Context())
		want(t, name+" in "+status.Source.LastError, strings.Contains(status.Source.LastError, name), true)
		want(t, name+": version", status.Source.Version, 3)
	}
	_ = gate.Close()

	// Over a restart the file keeps the version, and not without it.
	writeFile(t, file, signer.sign(publicPath(t, "/two"), 2, nil))
	_, err = from()
	want(t, "an old one after a restart", problemCode(err), "version_old")
	for _, text := range []string{"{}", "3", "null", "garbage", `{"version":-1}`, `{"version":1.5}`, `{"version":"3"}`} {
		writeFile(t, state, text)
		_, err = from()
		want(t, "a state file: "+text, problemCode(err), "state_file_unusable")
	}
	source.StateFile = ""
	gate, err = from()
	want(t, "without a state file", err, nil)
	_ = gate.Close()
}

func TestAStateFileThatCannotBeWrittenKeepsTheOldPolicy(t *testing.T) {
	clock, signer := newClock(), newPolicySigner('a')
	file := filepath.Join(t.TempDir(), "policy.jws")
	writeFile(t, file, signer.sign(publicPath(t, "/one"), 1, nil))
	source := PolicySource{File: file, Trust: signer.trust(), StateFile: filepath.Join(t.TempDir(), "missing", "state.json")}
	_, err := NewFrom(t.Context(), source, WithClock(clock.now), WithInstances(1), quiet)
	want(t, "at the start", problemCode(err), "state_file_unusable")
}

func TestASignedPolicyIsFetchedWithItsETag(t *testing.T) {
	clock, signer, server := newClock(), newPolicySigner('a'), issuertest.New(t)
	var unchanged int
	signed, etag := signer.sign(publicPath(t, "/one"), 1, nil), `"1"`
	server.Answer("/policy", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == etag {
			unchanged++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", etag)
		issuertest.Document(signed)(w, r)
	})
	source := PolicySource{
		URL: server.URI + "/policy", InsecureHTTP: true, Trust: signer.trust(),
		Convert: func(policy []byte) ([]byte, error) {
			return []byte(strings.TrimPrefix(string(policy), "# yaml\n")), nil
		},
	}
	gate, err := NewFrom(t.Context(), source, WithClock(clock.now), WithInstances(1), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Close() }()
	gate.lookAtSource()
	want(t, "not sent again", unchanged, 1)
	signed, etag = signer.sign("# yaml\n"+publicPath(t, "/two"), 2, nil), `"2"`
	gate.lookAtSource()
	want(t, "converted", check(t, gate, "/two", ""), "allow")
	elsewhere := issuertest.New(t)
	elsewhere.Answer("/policy", issuertest.Document(signer.sign(publicPath(t, "/bad"), 9, nil)))
	server.Answer("/policy", http.RedirectHandler(elsewhere.URI+"/policy?secret", http.StatusFound).ServeHTTP)
	gate.lookAtSource()
	want(t, "redirects", elsewhere.Requests("/policy"), 0)
	status, _ := gate.Status(t.Context())
	want(t, "error in "+status.Source.LastError, strings.Contains(status.Source.LastError, "the server answered 302 (policy_unavailable)"), true)
}

func TestThatThePolicyInForceHasExpiredIsSaidAndChangesNothing(t *testing.T) {
	clock, signer, server := newClock(), newPolicySigner('a'), issuertest.New(t)
	server.Answer("/policy", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		issuertest.Document(signer.sign(publicPath(t, "/one"), 1, nil))(w, r)
	})
	file := filepath.Join(t.TempDir(), "policy.jws")
	writeFile(t, file, signer.sign(publicPath(t, "/one"), 1, nil))
	for name, source := range map[string]PolicySource{
		"an address": {URL: server.URI + "/policy", InsecureHTTP: true}, "a file": {File: file},
	} {
		source.Trust = signer.trust()
		gate, err := NewFrom(t.Context(), source, WithClock(clock.now), WithInstances(1), quiet)
		if err != nil {
			t.Fatal(err)
		}
		gate.lookAtSource()
		status, _ := gate.Status(t.Context())
		want(t, name, status.Source.LastError, "")
		want(t, name+": by the gate's clock", status.Source.LastSuccess.UnixMilli(), clock.now().UnixMilli())
		clock.forward(2 * time.Hour)
		gate.lookAtSource()
		want(t, name+": in force", check(t, gate, "/one", ""), "allow")
		status, _ = gate.Status(t.Context())
		want(t, name+" in "+status.Source.LastError, strings.Contains(status.Source.LastError, "(expired)"), true)
		clock.forward(-2 * time.Hour)
		_ = gate.Close()
	}
}

// problemCode is the code of the first problem of a PolicyError, or the error.
func problemCode(err error) string {
	var refused *PolicyError
	if !errors.As(err, &refused) {
		return fmt.Sprint(err)
	}
	return refused.Problems[0].Code
}

func TestASourceIsOneSecurePlace(t *testing.T) {
	for _, source := range []PolicySource{
		{}, {File: "a", URL: "https://a"}, {URL: "http://a", InsecureHTTP: true}, {URL: "http://localhost"}, {URL: "http://localhost@a", InsecureHTTP: true}, {URL: "http://127.0.0.2", InsecureHTTP: true}, {URL: "ftp://localhost", InsecureHTTP: true}, {URL: "/a"},
	} {
		want(t, text(source.URL), source.check() != nil, true)
	}
	for _, source := range []PolicySource{{File: "a"}, {URL: "https://a/b?c"}, {URL: "http://localhost:1", InsecureHTTP: true}, {URL: "http://[::1]:1", InsecureHTTP: true}} {
		want(t, text(source.URL), source.check(), nil)
	}
	want(t, "default", (&policySource{}).poll(), time.Minute)
	want(t, "the least", (&policySource{PolicySource: PolicySource{Poll: time.Second}}).poll(), 5*time.Second)
}
