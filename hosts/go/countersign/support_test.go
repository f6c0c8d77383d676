package countersign

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type object = issuertest.Object

const (
	keyA = issuertest.A
	keyB = issuertest.B
)

var start = issuertest.Start

func text(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// policyOf returns a policy that admits every valid token of these issuers.
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

// A clock for tests changes only when a test moves it.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(start.UnixMilli())
	return c
}

func (c *clock) now() time.Time           { return time.UnixMilli(c.ms.Load()) }
func (c *clock) forward(by time.Duration) { c.ms.Add(by.Milliseconds()) }

// newGate opens a gate for a test and closes it when the test ends.
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

// check sends a GET request through the gate and returns the denial's code, or
// `allow`.
func check(t testing.TB, gate *Gate, target, token string) string {
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

// decoded reads a JSON text. What is none gives the zero value.
func decoded[T any](t testing.TB, r io.Reader) (value T) {
	t.Helper()
	if err := json.NewDecoder(r).Decode(&value); err != nil {
		t.Errorf("%v", err)
	}
	return value
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// eventually waits until a condition is true that another goroutine causes.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

func contextOf(t testing.TB, timeout time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), timeout)
}
