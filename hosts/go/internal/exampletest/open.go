// Package exampletest calls the handler of an example.
package exampletest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// Open opens a gate with an example's policy, in which it replaces the keys of
// `issuers` by their values: the test's issuers. The function that it returns
// sends a request to the example's handler and returns the status, and the code
// of a denial or the body.
func Open(
	t testing.TB, policy []byte, serve func(*countersign.Gate) http.Handler, issuers map[string]string,
) (call func(method, target, token string) string) {
	t.Helper()
	text := string(policy)
	for name, issuer := range issuers {
		text = strings.ReplaceAll(text, name, issuer)
	}
	gate, err := countersign.New(t.Context(), []byte(text), countersign.WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gate.Close() })
	handler := serve(gate)
	return func(method, target, token string) string {
		r := httptest.NewRequest(method, target, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body := w.Body.String()
		var denied struct{ Code string }
		if json.Unmarshal(w.Body.Bytes(), &denied) == nil {
			body = denied.Code
		}
		return strings.TrimSpace(strconv.Itoa(w.Code) + " " + body)
	}
}
