package countersign

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// recorded are the events of a gate.
type recorded struct {
	mu        sync.Mutex
	decisions []DecisionEvent
	documents []DocumentEvent
}

func (r *recorded) options() []Option {
	return []Option{
		WithOnDecision(func(_ context.Context, event DecisionEvent) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.decisions = append(r.decisions, event)
		}),
		WithOnDocument(func(event DocumentEvent) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.documents = append(r.documents, event)
		}),
	}
}

// last returns the last event of this mode.
func (r *recorded) last(t testing.TB, mode Mode) DecisionEvent {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, event := range slices.Backward(r.decisions) {
		if event.Mode == mode {
			return event
		}
	}
	t.Fatalf("no event of the mode %s", mode)
	return DecisionEvent{}
}

func (r *recorded) json() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return text(r.decisions) + text(r.documents)
}

func (r *recorded) lastDocument(kind DocumentKind) (event DocumentEvent, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, event := range slices.Backward(r.documents) {
		if event.Kind == kind {
			return event, true
		}
	}
	return DocumentEvent{}, false
}

var subjectKey = []byte("0123456789abcdef")

func TestEachDecisionIsOneEvent(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	policy := policyOf(issuer.Entry("platform"))
	policy["rules"].([]object)[4]["name"] = "orgs"
	options := append(events.options(), WithInstances(1), WithSubjectKey(SecretBytes(subjectKey)))
	gate := newGate(t, newClock(), policy, options...)
	token := issuer.Token(keyA)
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for place, test := range []struct{ target, token, want string }{
		{"/orgs/acme/1?a=b", token, `{"decision":"allow","rule":{"index":4,"name":"orgs","path":"/orgs/{org}/**"},"issuer":"platform","remembered":false,"subject_ref":"REF",`},
		{"/write", token, `{"decision":"allow","rule":{"index":1,"path":"/write"},"issuer":"platform","remembered":true,"subject_ref":"REF",`},
		{"/admin", token, `{"decision":"deny","code":"scope_insufficient","status":403,"rule":{"index":2,"path":"/admin"},"issuer":"platform","remembered":true,"subject_ref":"REF",`},
		{"/write", issuer.Token(keyB), `{"decision":"deny","code":"key_unknown","status":401,"rule":{"index":1,"path":"/write"},"issuer":"platform",`},
		{"/write", "", `{"decision":"deny","code":"token_missing","status":401,"rule":{"index":1,"path":"/write"},`},
		{"/healthz", "", `{"decision":"allow","rule":{"index":0,"path":"/healthz"},`},
		{"/a/../b", token, `{"decision":"deny","code":"request_ambiguous","status":400,`},
	} {
		check(t, gate, test.target, test.token)
		want(t, test.target+": events", len(events.decisions), place+1)
		event := events.last(t, ModeEnforced)
		if event.Code == "key_unknown" {
			event.WaitedMS = 0 // it has asked for newer keys
		}
		digest, err := PolicyDigest([]byte(text(policy)))
		want(t, "a digest", err, nil)
		mac := hmac.New(sha256.New, subjectKey)
		_, _ = mac.Write([]byte(issuer.URI + "\x00ada"))
		ref := hex.EncodeToString(mac.Sum(nil)[:16])
		rest := `"waited_ms":0,"mode":"enforced",`
		wanted := strings.Replace(test.want, `"subject_ref":"REF",`, rest+`"subject_ref":"`+ref+`",`, 1)
		if wanted == test.want {
			wanted += rest
		}
		want(t, test.target, text(event), wanted+`"policy_digest":"`+digest+`","module_digest":"`+SHA256()+`"}`)
	}
}

func TestAnAnswerOfTheGateIsAnEvent(t *testing.T) {
	var events recorded
	gate := newGate(t, newClock(), metadataPolicy(t), events.options()...)
	want(t, "status", serve(gate.Middleware(ok), to("http://api.example.com"+metadataPath, "")).Code, 200)
	event := events.last(t, ModeEnforced)
	want(t, "decision", event.Decision, ResultAnswer)
	want(t, "status", event.Status, 200)
}

func TestAHandlersFurtherCheckIsOneEvent(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), events.options()...)
	want(t, "status", serve(gate.Middleware(RequireScopes("admin")(ok)), to("/write", issuer.Token(keyA))).Code, 403)
	want(t, "events", len(events.decisions), 2)
	want(t, "decision", events.decisions[1].Code, "scope_insufficient")
	want(t, "rule", events.decisions[1].Rule == nil, true)
	want(t, "a token alone", codeOf(gate.Verify(t.Context(), "nonsense", "")), "token_malformed")
	want(t, "decision", events.decisions[2].Code, "token_malformed")
}

func TestADecisionThatTheHostMakesIsAnEventToo(t *testing.T) {
	issuer, events := issuertest.New(t), recorded{}
	issuer.Answer("/jwks", neverAnswer)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), append(events.options(), WithWait(100*time.Millisecond))...)
	want(t, "code", check(t, gate, "/write", issuer.Token(keyA)), "keys_unavailable")
	event := events.last(t, ModeEnforced)
	want(t, "code", event.Code, "keys_unavailable")
	want(t, "status", event.Status, 503)
	want(t, "issuer", event.Issuer, "platform")
	want(t, "rule", event.Rule.Path, "/write")
	want(t, "waited", event.WaitedMS >= 100, true)
	ended, end := context.WithCancel(t.Context())
	end()
	_, _ = gate.Check(ended, to("/write", issuer.Token(keyA)))
	want(t, "nothing was decided", len(events.decisions), 1)
	_ = gate.Close()
	want(t, "closed", check(t, gate, "/healthz", ""), "internal_error")
	want(t, "an event", events.last(t, ModeEnforced).Code, "internal_error")
}

func TestAHookKnowsTheRequestsContextAndMayPanic(t *testing.T) {
	type requestID struct{}
	issuer := issuertest.New(t, keyA)
	var id any
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")),
		WithOnDecision(func(context.Context, DecisionEvent) { panic("a hook") }),
		WithOnDocument(func(DocumentEvent) { panic("a hook") }),
		WithOnDecision(func(ctx context.Context, _ DecisionEvent) { id = ctx.Value(requestID{}) }))
	r := to("/write", issuer.Token(keyA))
	r = r.WithContext(context.WithValue(r.Context(), requestID{}, "r-1"))
	want(t, "status", serve(gate.Middleware(ok), r).Code, 200)
	want(t, "the next hook", id, any("r-1"))
}

func TestEventsContainNothingOfARequestOrATokenOrAKey(t *testing.T) {
	issuer, sender, events := issuertest.New(t, keyA), issuertest.NewSender(t), recorded{}
	policy := dpopPolicy(issuer)
	policy["issuers"] = append(policy["issuers"].([]object), legacy(issuer))
	issuer.Answer("/introspect", active(object{"sub": "grace"}))
	gate := newGate(t, newClock(), policy, append(events.options(), introspectionSecret, WithSubjectKey(SecretBytes(subjectKey)))...)
	token := issuer.Token(keyA, object{"cnf": sender.Binding(), "email": "ada@example.com"})
	for _, scheme := range []string{"DPoP", "Bearer"} {
		r := to("/orgs/acme/secret-path?query=secret-query", "")
		r.Header.Set("Authorization", scheme+" "+token)
		r.Header.Set("DPoP", sender.Proof("GET", "http://example.com/orgs/acme/secret-path", token))
		_, _ = gate.Check(t.Context(), r)
	}
	check(t, gate, "/write", opaqueToken)
	check(t, gate, "/write", issuer.Token(keyA, object{"sub": "mallory", "exp": start.Unix() - 600}))
	check(t, gate, "/write", "nonsense-of-somebody")
	all := events.json()
	want(t, "events", len(events.decisions), 5)
	for _, secret := range slices.Concat(strings.Split(token, "."), []string{
		`"ada"`, "acme", "ada@", "grace", "mallory", "opq_", "0123456789abcdef", "nonsense", "secret-path", "secret-query", "hunter2",
		issuer.URI, strings.TrimPrefix(issuer.URI, "http://"), "read write", keyA, string(subjectKey),
	}) {
		want(t, secret+" in "+all, strings.Contains(all, secret), false)
	}
}

func TestASubjectKeyHasItsLength(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	_, err := New(t.Context(), []byte(text(policyOf(issuer.Entry("platform")))), WithSubjectKey(SecretBytes([]byte("short"))))
	want(t, "refused", err != nil && strings.Contains(err.Error(), "fewer than 16 bytes"), true)
}

// The allocations of one check of a remembered token: seven, as before there were
// events, and one more with the race detector.
const hotPathAllocations = 8

// Events cost only those who ask for them.
func TestWithoutHooksNoEventIsMade(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	allocations := func(options ...Option) float64 {
		gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), append(options, WithInstances(1))...)
		r := to("/write", issuer.Token(keyA))
		want(t, "code", codeOf(gate.Check(t.Context(), r)), "allow")
		return testing.AllocsPerRun(200, func() { _, _ = gate.Check(context.Background(), r) })
	}
	without, with := allocations(), allocations(WithOnDecision(func(context.Context, DecisionEvent) {}))
	want(t, "fewer", without < with, true)
	if without > hotPathAllocations {
		t.Errorf("a check allocates %v times, not %v", without, hotPathAllocations)
	}
}
