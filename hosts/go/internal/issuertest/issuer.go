// Package issuertest provides an issuer for tests, with test keys.
package issuertest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
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

func text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
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
