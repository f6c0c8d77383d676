// Package issuertest provides an issuer for tests, with test keys.
package issuertest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Test keys of the repository, by `kid`.
const (
	A = "rsa-2048-a"
	B = "rsa-2048-b"
)

// Start is the start time of every clock of these tests.
var Start = time.UnixMilli(1_790_000_000_000)

// Object is a JSON object.
type Object = map[string]any

func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

func jwk(t testing.TB, kid string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(here(), "../../../../tests/keys", kid+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]string
	if err := json.Unmarshal(text, &jwk); err != nil {
		t.Fatal(err)
	}
	return jwk
}

// JWKS returns a JWK Set with these public keys.
func JWKS(t testing.TB, kids ...string) string {
	keys := []Object{}
	for _, kid := range kids {
		jwk := jwk(t, kid)
		keys = append(keys, Object{"kty": "RSA", "kid": kid, "alg": "RS256", "n": jwk["n"], "e": jwk["e"]})
	}
	return text(Object{"keys": keys})
}

func text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Sign returns a token signed with this key. Its header has the `kid`.
func Sign(t testing.TB, kid string, claims Object) string {
	t.Helper()
	jwk := jwk(t, kid)
	number := func(name string) *big.Int {
		bytes, err := base64.RawURLEncoding.DecodeString(jwk[name])
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(bytes)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: number("n"), E: int(number("e").Int64())},
		D:         number("d"),
		Primes:    []*big.Int{number("p"), number("q")},
	}
	key.Precompute()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(text(Object{"alg": "RS256", "kid": kid}))) + "." + encode([]byte(text(claims)))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

// An Issuer serves documents on a local port. A test can change its responses.
type Issuer struct {
	t testing.TB
	// URI is its `iss` and its base URL.
	URI      string
	mu       sync.Mutex
	paths    map[string]http.HandlerFunc
	requests map[string]int
}

// New starts an issuer that publishes these keys at `/jwks`.
func New(t testing.TB, kids ...string) *Issuer {
	i := &Issuer{t: t, paths: map[string]http.HandlerFunc{}, requests: map[string]int{}}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URI = server.URL
	i.Publish(kids...)
	return i
}

// ServeHTTP implements [http.Handler].
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.requests[r.URL.Path]++
	serve, ok := i.paths[r.URL.Path]
	i.mu.Unlock()
	if !ok {
		serve = http.NotFound
	}
	serve(w, r)
}

// Publish replaces the keys at `/jwks`.
func (i *Issuer) Publish(kids ...string) { i.Answer("/jwks", Document(JWKS(i.t, kids...))) }

// Answer replaces the handler of a path.
func (i *Issuer) Answer(path string, serve http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.paths[path] = serve
}

// Requests returns the number of requests for a path.
func (i *Issuer) Requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[path]
}

// Document serves a text.
func Document(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// Status serves a status and nothing else.
func Status(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// Entry returns the issuer's entry in a policy, with keys from `/jwks`.
func (i *Issuer) Entry(name string) Object {
	return Object{
		"name": name, "issuer": i.URI, "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys":   Object{"jwks_uri": i.URI + "/jwks", "insecure_http": true},
		"claims": Object{"tenant": "/tenant_id"},
	}
}

// Token returns a token of this issuer with these additional claims.
func (i *Issuer) Token(kid string, more ...Object) string {
	claims := Object{
		"iss": i.URI, "aud": "api", "sub": "ada", "tenant_id": "acme", "scope": "read write",
		"iat": Start.Unix(), "exp": Start.Unix() + 100_000,
	}
	for _, more := range more {
		for name, value := range more {
			claims[name] = value
		}
	}
	return Sign(i.t, kid, claims)
}

// Fresh returns a token that is valid for ten minutes from now, by the system's
// clock. A claim that is nil is left out.
func (i *Issuer) Fresh(claims Object) string { return i.FreshBy(A, claims) }

// FreshBy is Fresh with another key.
func (i *Issuer) FreshBy(kid string, claims Object) string {
	now := time.Now().Unix()
	all := Object{"iss": i.URI, "iat": now, "exp": now + 600}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return Sign(i.t, kid, all)
}
