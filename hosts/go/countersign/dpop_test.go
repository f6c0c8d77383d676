package countersign

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// dpopPolicy takes tokens by the schemes Bearer and DPoP.
func dpopPolicy(issuer *issuertest.Issuer) object {
	policy := policyOf(issuer.Entry("platform"))
	policy["credentials"] = []object{
		{"header": "authorization", "scheme": "Bearer"}, {"header": "authorization", "scheme": "DPoP"},
	}
	return policy
}

// A bound server has a gate in front of a handler, and a token for one sender.
type bound struct {
	*httptest.Server
	gate   *Gate
	issuer *issuertest.Issuer
	sender *issuertest.Sender
	token  string
}

func newBound(t *testing.T, policy func(*issuertest.Issuer) object, handler http.Handler, options ...Option) *bound {
	t.Helper()
	issuer, sender := issuertest.New(t, keyA), issuertest.NewSender(t)
	gate := newGate(t, newClock(), policy(issuer), append([]Option{ownTable(newProofTable(1000, 10))}, options...)...)
	server := httptest.NewServer(gate.Middleware(handler))
	t.Cleanup(server.Close)
	return &bound{server, gate, issuer, sender, issuer.Token(keyA, object{"cnf": sender.Binding()})}
}

// ask sends a request and returns the response's header, and the denial's code
// or `allow`.
func (b *bound) ask(t *testing.T, method, path, scheme, token, proof string) (http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", scheme+" "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	response, err := b.Client().Do(r)
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	defer func() { _ = response.Body.Close() }()
	return response.Header, codeIn(t, response)
}

func codeIn(t *testing.T, response *http.Response) string {
	t.Helper()
	if response.StatusCode == http.StatusOK {
		return "allow"
	}
	return decoded[struct{ Code string }](t, response.Body).Code
}

var ok = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func TestABoundTokenNeedsItsProof(t *testing.T) {
	b := newBound(t, dpopPolicy, ok)
	other := issuertest.NewSender(t)
	proof := func(more ...object) string { return b.sender.Proof("GET", b.URL+"/write", b.token, more...) }
	for _, test := range []struct{ name, scheme, proof, code string }{
		{"its proof", "DPoP", proof(), "allow"},
		{"no proof", "DPoP", "", "proof_missing"},
		{"as a plain token", "Bearer", "", "proof_missing"},
		{"with a proof, as a plain token", "Bearer", proof(), "proof_missing"},
		{"another key's", "DPoP", other.Proof("GET", b.URL+"/write", b.token), "proof_invalid"},
		{"for another method", "DPoP", proof(object{"htm": "POST"}), "proof_invalid"},
		{"for another path", "DPoP", b.sender.Proof("GET", b.URL+"/other", b.token), "proof_invalid"},
		{"for another scheme", "DPoP", proof(object{"htu": strings.Replace(b.URL, "http:", "https:", 1) + "/write"}), "proof_invalid"},
		{"for another token", "DPoP", b.sender.Proof("GET", b.URL+"/write", "other"), "proof_invalid"},
		{"an old one", "DPoP", proof(object{"iat": start.Unix() - 3600}), "proof_invalid"},
	} {
		_, code := b.ask(t, "GET", "/write", test.scheme, b.token, test.proof)
		want(t, test.name, code, test.code)
	}
}

func TestOneProofSentManyTimesPassesOnce(t *testing.T) {
	var calls atomic.Int64
	for name, options := range map[string][]Option{
		"the module": nil, "native": {WithSignatures(Native)}, "a store": {WithProofStore(storeOf(&calls))},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBound(t, dpopPolicy, ok, append(options, WithInstances(4))...)
			if err := b.gate.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				proof := b.sender.Proof("GET", b.URL+"/write", b.token)
				var passed, replayed atomic.Int64
				var all sync.WaitGroup
				for range 20 {
					all.Go(func() {
						switch _, code := b.ask(t, "GET", "/write", "DPoP", b.token, proof); code {
						case "allow":
							passed.Add(1)
						case "proof_replayed":
							replayed.Add(1)
						}
					})
				}
				all.Wait()
				want(t, "passed", passed.Load(), 1)
				want(t, "replayed", replayed.Load(), 19)
			}
		})
	}
	want(t, "calls of the store", calls.Load(), 100)
}

// A proof that is refused for any other reason is not recorded.
func TestOnlyAProofThatPassesIsUsed(t *testing.T) {
	b := newBound(t, dpopPolicy, ok)
	admin := b.sender.Proof("GET", b.URL+"/admin", b.token)
	for range 2 {
		_, code := b.ask(t, "GET", "/admin", "DPoP", b.token, admin)
		want(t, "a scope is missing", code, "scope_insufficient")
	}
	want(t, "recorded", len(b.gate.settings.proofTable.owners), 0)
	for _, signatures := range []Signatures{Module, Native} {
		b := newBound(t, dpopPolicy, ok, WithSignatures(signatures))
		r := to("/write", "")
		r.Header.Set("Authorization", "DPoP "+b.token)
		r.Header.Set("DPoP", b.sender.Proof("GET", "http://example.com/write", b.token))
		if err := b.gate.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := b.gate.Explain(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		want(t, "after explanations", codeOf(b.gate.Check(t.Context(), r)), "allow")
		want(t, "then", codeOf(b.gate.Check(t.Context(), r)), "proof_replayed")
	}
}

func TestASenderThatFloodsLeavesRoomForOthers(t *testing.T) {
	b := newBound(t, dpopPolicy, ok, ownTable(newProofTable(40, 2)))
	send := func(sender *issuertest.Sender, times int) (allowed int) {
		token := b.issuer.Token(keyA, object{"cnf": sender.Binding()})
		for range times {
			if _, code := b.ask(t, "GET", "/write", "DPoP", token, sender.Proof("GET", b.URL+"/write", token)); code == "allow" {
				allowed++
			} else {
				want(t, "code", code, "proofs_unavailable")
			}
		}
		return allowed
	}
	want(t, "the flood", send(b.sender, 60), 20)
	for range 10 {
		want(t, "another sender", send(issuertest.NewSender(t), 2), 2)
	}
	// Now many senders have filled the table.
	want(t, "one more", send(issuertest.NewSender(t), 1), 0)
	want(t, "a plain token", check(t, b.gate, "/write", b.issuer.Token(keyA)), "allow")
}

func TestANonceIsAskedForAndThenTaken(t *testing.T) {
	policy := func(issuer *issuertest.Issuer) object {
		policy := dpopPolicy(issuer)
		policy["dpop"] = object{"nonce": object{"secret_from": "nonce"}}
		return policy
	}
	secret := WithSecrets(map[string]Secret{"nonce": SecretBytes([]byte(strings.Repeat("n", 32)))})
	b := newBound(t, policy, ok, secret)
	header, code := b.ask(t, "GET", "/write", "DPoP", b.token, b.sender.Proof("GET", b.URL+"/write", b.token))
	want(t, "code", code, "nonce_required")
	want(t, "caches", header.Get("Cache-Control"), "no-store")
	want(t, "challenge "+header.Get("WWW-Authenticate"), strings.Contains(header.Get("WWW-Authenticate"), `error="use_dpop_nonce"`), true)
	nonce := object{"nonce": header.Get("DPoP-Nonce")}
	header, code = b.ask(t, "GET", "/write", "DPoP", b.token, b.sender.Proof("GET", b.URL+"/write", b.token, nonce))
	want(t, "with it", code, "allow")
	want(t, "an allowed request gets none", header.Get("DPoP-Nonce"), "")

	// Secrets stay for the next policy. Another gate, as in a replica, takes the
	// same nonces.
	if err := b.gate.Reload(t.Context(), []byte(text(policy(b.issuer)))); err != nil {
		t.Fatal(err)
	}
	_, code = b.ask(t, "GET", "/write", "DPoP", b.token, b.sender.Proof("GET", b.URL+"/write", b.token, nonce))
	want(t, "after a reload", code, "allow")
	replica := newGate(t, newClock(), policy(b.issuer), secret)
	r := to("/write", "")
	r.Header.Set("Authorization", "DPoP "+b.token)
	r.Header.Set("DPoP", b.sender.Proof("GET", "http://example.com/write", b.token, nonce))
	want(t, "in a replica", codeOf(replica.Check(t.Context(), r)), "allow")
	_, err := New(t.Context(), []byte(text(policy(b.issuer))))
	want(t, "without the secret", strings.Contains(err.Error(), "secret_missing"), true)
}

// The sender of a request was proven when it came: its proof is not needed, and
// not used, again.
func TestAHandlerChecksABoundTokenFurther(t *testing.T) {
	var gate *Gate
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grant, _ := FromContext(r.Context())
		want(t, "a scope that it has", grant.Require(r.Context(), `{"scopes":["read"]}`), nil)
		want(t, "one that it has not", denialOf(grant.Require(r.Context(), `{"scopes":["admin"]}`)).Code, "scope_insufficient")
		want(t, "a refused requirement", isRefused(grant.Require(r.Context(), `{"scopes":7}`)), true)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "DPoP ")
		want(t, "the token alone", codeOf(gate.Verify(r.Context(), token, "")), "proof_missing")
		ended, end := context.WithCancel(r.Context())
		end()
		want(t, "a request that has ended", grant.Require(ended, ""), context.Canceled)
		RequireScopes("write")(ok).ServeHTTP(w, r)
	})
	b := newBound(t, dpopPolicy, handler)
	gate = b.gate
	for range 2 {
		_, code := b.ask(t, "GET", "/write", "DPoP", b.token, b.sender.Proof("GET", b.URL+"/write", b.token))
		want(t, "code", code, "allow")
	}
	want(t, "a grant of a test", denialOf((&Grant{}).Require(t.Context(), "")).Code, "internal_error")
}

func TestProofsExpireWithTheGatesClock(t *testing.T) {
	clock, issuer, sender := newClock(), issuertest.New(t, keyA), issuertest.NewSender(t)
	table := newProofTable(1000, 10)
	table.elapsed = func() time.Duration { return clock.now().Sub(start) }
	gate := newGate(t, clock, dpopPolicy(issuer), ownTable(table))
	token := issuer.Token(keyA, object{"cnf": sender.Binding()})
	send := func() string {
		r := to("/write", "")
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", sender.Proof("GET", "http://example.com/write", token, object{"iat": clock.now().Unix()}))
		return codeOf(gate.Check(t.Context(), r))
	}
	for range 5 {
		want(t, "code", send(), "allow")
		clock.forward(10 * time.Minute)
	}
	want(t, "kept", len(table.owners), 1)
}
