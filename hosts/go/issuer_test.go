package countersign

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Test keys of the repository, by `kid`.
const (
	keyA = "rsa-2048-a"
	keyB = "rsa-2048-b"
)

// Where every clock of these tests starts.
var start = time.UnixMilli(1_790_000_000_000)

type object = map[string]any

func jwk(t testing.TB, kid string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../tests/keys/" + kid + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]string
	if err := json.Unmarshal(text, &jwk); err != nil {
		t.Fatal(err)
	}
	return jwk
}

// jwks is a JWK Set with the public halves of these keys.
func jwks(t testing.TB, kids ...string) string {
	keys := []object{}
	for _, kid := range kids {
		jwk := jwk(t, kid)
		keys = append(keys, object{"kty": "RSA", "kid": kid, "alg": "RS256", "n": jwk["n"], "e": jwk["e"]})
	}
	return text(object{"keys": keys})
}

func text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sign makes a token with the key, which its header names.
func sign(t testing.TB, kid string, claims object) string {
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
	signed := encode([]byte(text(object{"alg": "RS256", "kid": kid}))) + "." + encode([]byte(text(claims)))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

// An issuer serves documents on a local port and can be told to misbehave.
type issuer struct {
	t     testing.TB
	uri   string
	mu    sync.Mutex
	paths map[string]http.HandlerFunc
	asked map[string]int
}

// newIssuer publishes these keys at `/jwks`.
func newIssuer(t testing.TB, kids ...string) *issuer {
	i := &issuer{t: t, paths: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.uri = server.URL
	i.publish(kids...)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	serve, ok := i.paths[r.URL.Path]
	i.mu.Unlock()
	if !ok {
		serve = http.NotFound
	}
	serve(w, r)
}

func (i *issuer) publish(kids ...string) { i.answer("/jwks", document(jwks(i.t, kids...))) }

func (i *issuer) answer(path string, serve http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.paths[path] = serve
}

// timesAsked is how often a document was asked for.
func (i *issuer) timesAsked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

func document(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func status(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// entry is the issuer in a policy, with keys from `/jwks`.
func (i *issuer) entry(name string) object {
	return object{
		"name": name, "issuer": i.uri, "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys":   object{"jwks_uri": i.uri + "/jwks", "insecure_http": true},
		"claims": object{"tenant": "/tenant_id"},
	}
}

// token is a token of this issuer's, with these claims on top.
func (i *issuer) token(kid string, more ...object) string {
	claims := object{
		"iss": i.uri, "aud": "api", "sub": "ada", "tenant_id": "acme", "scope": "read write",
		"iat": start.Unix(), "exp": start.Unix() + 100_000,
	}
	for _, more := range more {
		for name, value := range more {
			claims[name] = value
		}
	}
	return sign(i.t, kid, claims)
}

// policyOf admits every good token of these issuers.
func policyOf(issuers ...object) object {
	return object{
		"contract": "1",
		"issuers":  issuers,
		"rules": []object{
			{"path": "/healthz", "public": true},
			{"path": "/write", "require": object{"scopes": object{"all": []string{"write"}}}},
			{"path": "/admin", "require": object{"scopes": object{"all": []string{"admin"}}}},
			{"path": "/feed", "optional": true},
			{"path": "/orgs/{org}/**", "require": object{"tenant": "{org}"}},
			{"path": "/**", "require": object{}},
		},
		"forward": object{"x-auth-subject": "subject", "x-auth-tenant": "tenant"},
	}
}

// A clock stands still until it is moved.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(start.UnixMilli())
	return c
}

func (c *clock) now() time.Time           { return time.UnixMilli(c.ms.Load()) }
func (c *clock) forward(by time.Duration) { c.ms.Add(by.Milliseconds()) }

// newGate opens a gate for a test, which its log and its end belong to.
func newGate(t testing.TB, clock *clock, policy object, options ...Option) *Gate {
	t.Helper()
	quiet := WithLogger(slog.New(slog.DiscardHandler))
	options = append([]Option{WithClock(clock.now), WithInstances(2), quiet}, options...)
	gate, err := New(t.Context(), []byte(text(policy)), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gate.Close() })
	return gate
}

func to(target, token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// ask gives the code of the decision, or `allow`.
func ask(t testing.TB, gate *Gate, target, token string) string {
	t.Helper()
	return codeOf(gate.Check(t.Context(), to(target, token)))
}

func codeOf(decision Decision, err error) string {
	var denial *Denial
	switch {
	case err == nil && decision.Allowed() && decision.Denial == nil:
		return "allow"
	case errors.As(err, &denial) && decision.Denial == denial && !decision.Allowed():
		return denial.Code
	default:
		return "neither: " + text(decision)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// eventually waits for something that happens on another goroutine.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in 20 s it did not happen that %s", what)
}
