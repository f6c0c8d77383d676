package countersign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

const apiKey = "sk_test_k1_0123456789abcdefghij"

// entryOf returns the entry of a key in a document.
func entryOf(id, key string) object {
	tag := hmac.New(sha256.New, []byte("pepper of 16 bytes"))
	tag.Write([]byte(key))
	return object{"id": id, "subject": "robot", "scopes": []string{"read", "write"}, "hash": base64.RawURLEncoding.EncodeToString(tag.Sum(nil))}
}

// withKeys is an issuer whose document of API keys is at `/keys`, for those who
// know the password.
func withKeys(issuer *issuertest.Issuer, secret string) object {
	return object{
		"name": "keys",
		"api_keys": object{
			"uri": issuer.URI + "/keys", "insecure_http": true, "prefix": []string{"sk_test_"}, "checksum": false,
			"headers": object{"authorization": object{"secret_from": secret}},
			"pepper":  []object{{"version": "1", "secret_from": "pepper"}},
		},
	}
}

// publish serves these entries to those who know the password.
func publish(issuer *issuertest.Issuer, entries ...object) {
	issuer.Answer("/keys", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		issuertest.Document(text(object{"keys": append([]object{}, entries...)}))(w, r)
	})
}

var keySecrets = WithSecrets(map[string]Secret{
	"pepper": SecretBytes([]byte("pepper of 16 bytes")), "password": SecretBytes([]byte("Bearer hunter2")), "wrong": SecretBytes([]byte("Bearer other")),
})

func TestAnAPIKeyIsGoodUntilTheDocumentSaysOtherwise(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t)
	publish(issuer, entryOf("k1", apiKey))
	policy := policyOf(withKeys(issuer, "password"))
	gate := newGate(t, clock, policy, keySecrets, WithInstances(3))
	for range 4 {
		want(t, "good", check(t, gate, "/write", apiKey), "allow")
		want(t, "another secret", check(t, gate, "/write", apiKey+"k"), "api_key_invalid")
		want(t, "a scope", check(t, gate, "/admin", apiKey), "scope_insufficient")
	}
	handler := gate.Middleware(RequireScopes("read")(ok))
	want(t, "in a handler", serve(handler, to("/write", apiKey)).Code, 200)
	want(t, "fetches", issuer.Requests("/keys"), 1)

	if err := gate.Reload(t.Context(), []byte(text(policy))); err != nil {
		t.Fatal(err)
	}
	want(t, "after a reload", check(t, gate, "/write", apiKey), "allow")
	want(t, "the document was kept", issuer.Requests("/keys"), 1)

	publish(issuer)
	clock.forward(40 * time.Second)
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		want(t, "taken back", check(t, gate, "/write", apiKey), "api_key_invalid")
	}
}

// A document that was fetched with one password is not for a policy that has
// another one.
func TestAfterAReloadWithOtherHeadersTheDocumentIsFetchedAgain(t *testing.T) {
	issuer := issuertest.New(t)
	publish(issuer, entryOf("k1", apiKey))
	gate := newGate(t, newClock(), policyOf(withKeys(issuer, "password")), keySecrets)
	want(t, "before", check(t, gate, "/write", apiKey), "allow")
	if err := gate.Reload(t.Context(), []byte(text(policyOf(withKeys(issuer, "wrong"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "after", check(t, gate, "/write", apiKey), "api_keys_unavailable")
}

func TestALongDocumentOfAPIKeysIsReadInParts(t *testing.T) {
	issuer := issuertest.New(t)
	entries := []object{}
	for i := range 20_000 {
		id := fmt.Sprint("id", i)
		entries = append(entries, entryOf(id, "sk_test_"+id+"_0123456789abcdefghij"))
	}
	publish(issuer, entries...)
	gate := newGate(t, newClock(), policyOf(withKeys(issuer, "password")), keySecrets, WithWait(time.Minute))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want(t, "the last one", check(t, gate, "/write", "sk_test_id19999_0123456789abcdefghij"), "allow")
		want(t, "none", check(t, gate, "/write", "sk_test_id20000_0123456789abcdefghij"), "api_key_invalid")
	}
	want(t, "fetches", issuer.Requests("/keys"), 1)
}

func TestAServerOfAPIKeysThatHangsIsA503(t *testing.T) {
	issuer := issuertest.New(t)
	issuer.Answer("/keys", neverAnswer)
	gate := newGate(t, newClock(), policyOf(withKeys(issuer, "password")), keySecrets, WithWait(200*time.Millisecond))
	decision, err := gate.Check(t.Context(), to("/write", apiKey))
	want(t, "code", codeOf(decision, err), "api_keys_unavailable")
	want(t, "status", decision.Denial.Status, 503)
	status, err := gate.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "kind", status.Documents[0].Kind, KindAPIKeys)
}
