package countersign

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestTwoDecisionsCompareByTheTable(t *testing.T) {
	allow := func(effects string) *outcome {
		return &outcome{Decision: Decision{Grant: &Grant{}}, facts: Facts{Effects: effects}}
	}
	deny := func(code string, status int) *outcome {
		return &outcome{Decision: Decision{Denial: &Denial{Code: code, Status: status}}}
	}
	answer, none := &outcome{Decision: Decision{Answered: &Answered{}}}, deny("keys_unavailable", 503)
	for _, test := range []struct {
		inForce, candidate *outcome
		want               Comparison
	}{
		{allow("a"), none, ComparisonNotCompared},
		{deny("a", 401), none, ComparisonNotCompared},
		{deny("a", 503), allow("a"), ComparisonNotCompared},
		{allow("a"), deny("a", 503), ComparisonNotCompared},
		{deny("a", 401), allow("a"), ComparisonWouldAllow},
		{deny("a", 401), answer, ComparisonWouldAllow},
		{allow("a"), deny("a", 403), ComparisonWouldDeny},
		{answer, deny("a", 401), ComparisonWouldDeny},
		{deny("a", 401), deny("a", 403), ComparisonAgree},
		{deny("a", 401), deny("b", 401), ComparisonDiffers},
		{allow("a"), allow("a"), ComparisonAgree},
		{allow("a"), allow("b"), ComparisonDiffers},
		{answer, answer, ComparisonAgree},
		{allow("a"), answer, ComparisonDiffers},
		{answer, allow("a"), ComparisonDiffers},
	} {
		want(t, test.inForce.String()+" and "+test.candidate.String(), compare(test.inForce, test.candidate), test.want)
	}
}

func (o *outcome) String() string { return string(o.result()) + codeOf(o.Decision, nil) }

func TestACandidateIsComparedAndChangesNothing(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	candidate := policyOf(issuer.Entry("platform"))
	candidate["rules"] = []object{
		{"path": "/write", "require": object{"scopes": object{"all": []string{"admin"}}}},
		{"path": "/admin", "require": object{}, "name": "admins"},
		{"path": "/**", "require": object{}},
	}
	candidate["forward"] = object{"x-auth-subject": "subject"}
	shadowed := func(options ...Option) *Gate {
		gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), append(options, WithShadow([]byte(text(candidate))))...)
		if err := gate.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the candidate is ready", func() bool {
			status, err := gate.Status(t.Context())
			return err == nil && status.Shadow.Ready
		})
		return gate
	}
	gate := shadowed(events.options()...)
	plain := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	token := issuer.Token(keyA)
	for _, test := range []struct {
		target, token string
		comparison    Comparison
		code          string
	}{
		{"/write", token, ComparisonWouldDeny, "scope_insufficient"},
		{"/write", token, ComparisonWouldDeny, "scope_insufficient"},
		{"/admin", token, ComparisonWouldAllow, ""},
		{"/other", token, ComparisonDiffers, ""},
		{"/other", "", ComparisonAgree, "token_missing"},
		{"/healthz", "", ComparisonWouldDeny, "token_missing"},
	} {
		served, alone := serve(gate.Middleware(echoView), to(test.target, test.token)), serve(plain.Middleware(echoView), to(test.target, test.token))
		want(t, test.target, served.Body.String(), alone.Body.String())
		want(t, test.target, served.Code, alone.Code)
		event := events.last(t, ModeShadow)
		want(t, test.target, event.Comparison, test.comparison)
		want(t, test.target, event.Code, test.code)
	}
	digest, _ := PolicyDigest([]byte(text(candidate)))
	want(t, "digest", events.last(t, ModeShadow).PolicyDigest, digest)
	status, err := gate.Status(t.Context())
	want(t, "status", err, nil)
	want(t, "counts", text(status.Shadow), text(ShadowStatus{digest, true, status.Shadow.Documents, []ComparisonCount{
		{ComparisonAgree, "/rules/5", "token_missing", 1}, {ComparisonDiffers, "/rules/5", "", 1},
		{ComparisonWouldAllow, "/rules/2", "", 1},
		{ComparisonWouldDeny, "/rules/0", "token_missing", 1}, {ComparisonWouldDeny, "/rules/1", "scope_insufficient", 2},
	}, 0}))
	documents := status.Shadow.Documents
	want(t, "documents", len(documents) == 1 && documents[0].Kind == KindJWKS && documents[0].Usable, true)
	isShadows := func(event DocumentEvent) bool { return event.Mode == ModeShadow && event.PolicyDigest == digest }
	want(t, "its documents", slices.ContainsFunc(events.documents, isShadows), true)

	var refused *PolicyError
	want(t, "a refused candidate", errors.As(gate.ReloadShadow(t.Context(), []byte("{}")), &refused), true)
	want(t, "reload", gate.ReloadShadow(t.Context(), []byte(text(policyOf(issuer.Entry("platform"))))), nil)
	status, _ = gate.Status(t.Context())
	want(t, "counts begin anew", len(status.Shadow.Counts), 0)
	want(t, "remove", gate.ReloadShadow(t.Context(), nil), nil)
	status, _ = gate.Status(t.Context())
	want(t, "removed", status.Shadow == nil, true)
}

func TestACandidateAsksNoIntrospectionServer(t *testing.T) {
	issuer, events := issuertest.New(t), recorded{}
	issuer.Answer("/introspect", active(nil))
	policy := policyOf(legacy(issuer))
	gate := newGate(t, newClock(), policy, append(events.options(), introspectionSecret, WithInstances(1), WithShadow([]byte(text(policy))))...)
	want(t, "code", check(t, gate, "/write", opaqueToken), "allow")
	want(t, "with the same response", events.last(t, ModeShadow).Comparison, ComparisonAgree)
	want(t, "look-ups", issuer.Requests("/introspect"), 1)
	// The policy in force remembers the token, and the new candidate does not.
	want(t, "reload", gate.ReloadShadow(t.Context(), []byte(text(policy))), nil)
	for range 3 {
		want(t, "code", check(t, gate, "/write", opaqueToken), "allow")
		event := events.last(t, ModeShadow)
		want(t, "nothing is sent", event.Comparison, ComparisonNotCompared)
		want(t, "as who does not wait", event.Code, "introspection_unavailable")
	}
	want(t, "look-ups", issuer.Requests("/introspect"), 1)
}

func TestACandidateUsesUpNoProof(t *testing.T) {
	var calls atomic.Int64
	for name, options := range map[string][]Option{"the table": nil, "a store": {WithProofStore(storeOf(&calls))}} {
		events := recorded{}
		candidate := func(issuer *issuertest.Issuer) object { return dpopPolicy(issuer) }
		b := newBound(t, candidate, ok, append(append(options, WithReadyWait(20e9)), events.options()...)...)
		want(t, name, b.gate.ReloadShadow(t.Context(), []byte(text(dpopPolicy(b.issuer)))), nil)
		eventually(t, "the candidate is ready", func() bool { return b.gate.shadow.Load().candidate.isReady() })
		proof := b.sender.Proof("GET", b.URL+"/write", b.token)
		for place, code := range []string{"allow", "proof_replayed"} {
			_, got := b.ask(t, "GET", "/write", "DPoP", b.token, proof)
			want(t, name, got, code)
			event := events.last(t, ModeShadow)
			want(t, name+strconv.Itoa(place), event.Comparison, ComparisonAgree)
		}
		// The policy in force refuses before it asks about the proof.
		candidatePolicy := dpopPolicy(b.issuer)
		candidatePolicy["rules"] = []object{{"path": "/**", "require": object{}}}
		want(t, name, b.gate.ReloadShadow(t.Context(), []byte(text(candidatePolicy))), nil)
		eventually(t, "the candidate is ready", func() bool { return b.gate.shadow.Load().candidate.isReady() })
		_, got := b.ask(t, "GET", "/admin", "DPoP", b.token, b.sender.Proof("GET", b.URL+"/admin", b.token))
		want(t, name, got, "scope_insufficient")
		want(t, name, events.last(t, ModeShadow).Comparison, ComparisonNotCompared)
	}
	want(t, "calls of the store", calls.Load(), 2)
}

func TestACandidateThatTrapsOrHasNoFreeInstanceChangesNothing(t *testing.T) {
	events := recorded{}
	gate := faultyGate(t, events.options()...)
	want(t, "set", gate.ReloadShadow(t.Context(), []byte("{}")), nil)
	want(t, "code", check(t, gate, "/", ""), "allow")
	want(t, "agree", events.last(t, ModeShadow).Comparison, ComparisonAgree)
	want(t, "trap", check(t, gate, "/trap", ""), "internal_error")

	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	sealed := newGate(t, newClock(), policy, append(events.options(), WithShadow([]byte(text(policy))))...)
	other := faultyGate(t)
	candidate := sealed.shadow.Load().candidate
	sealed.shadow.Store(&shadow{candidate: other.inForce.Load()})
	policy["rules"] = []object{{"path": "/**", "public": true}}
	want(t, "reload", sealed.Reload(t.Context(), []byte(text(policy))), nil)
	for _, test := range []struct {
		target string
		want   Comparison
	}{{"/trap", ComparisonNotCompared}, {"/wait", ComparisonNotCompared}, {"/request", ComparisonNotCompared}, {"/proof", ComparisonNotCompared}} {
		want(t, test.target, check(t, sealed, test.target, ""), "allow")
		event := events.last(t, ModeShadow)
		want(t, test.target, event.Comparison, test.want)
		want(t, test.target, event.Decision, ResultDeny)
		want(t, test.target, event.Status, 503)
		eventually(t, "the instance is replaced", func() bool { return len(other.inForce.Load().pool.readers()) == 1 })
	}
	sealed.shadow.Store(&shadow{candidate: candidate})
	var taken []*reader
	for r := candidate.pool.takeFree(); r != nil; r = candidate.pool.takeFree() {
		taken = append(taken, r)
	}
	want(t, "busy", check(t, sealed, "/a", ""), "allow")
	want(t, "busy", events.last(t, ModeShadow).Comparison, ComparisonNotCompared)
	for _, r := range taken {
		candidate.pool.giveBack(r)
	}
}

func TestDifferentComparisonsAreBounded(t *testing.T) {
	var counts comparisonCounts
	for i := range maxCounts + 5 {
		counts.add(comparisonKey{ComparisonAgree, strconv.Itoa(i), ""})
	}
	counts.add(comparisonKey{ComparisonAgree, "0", ""})
	kept, other := counts.list()
	want(t, "kept", len(kept), maxCounts)
	want(t, "the rest", other, 5)
}

func TestObserveProtectsNothingAndChangesNothing(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), events.options()...)
	// Otherwise the first request would not wait for its keys.
	want(t, "warm", gate.Warm(t.Context()), nil)
	var seen *http.Request
	handler := gate.Observe(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	for target, code := range map[string]string{"/write": "allow", "/admin": "scope_insufficient", "/a/../b": "request_ambiguous"} {
		r := to(target, issuer.Token(keyA))
		r.Header.Set("X-Auth-Subject", "eve")
		r.Header["x_auth_subject"] = []string{"eve"}
		before := text([]any{r.Header, r.URL, r.Host, r.RequestURI})
		want(t, target, serve(handler, r).Code, 200)
		want(t, target, text([]any{seen.Header, seen.URL, seen.Host, seen.RequestURI}), before)
		decision, isObserved := ObservedFrom(seen.Context())
		want(t, target, isObserved, true)
		var err error
		if decision.Denial != nil {
			err = decision.Denial
		}
		want(t, target, codeOf(decision, err), code)
		_, isGranted := FromContext(seen.Context())
		want(t, target+": a grant", isGranted, false)
		want(t, target, events.last(t, ModeObserved).Code, map[bool]string{true: "", false: code}[code == "allow"])
	}
	want(t, "none is enforced", len(events.decisions), 3)
}

func TestAnObservedRequestPassesBeforeItsDocumentsCome(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	goOn := make(chan struct{})
	keys := issuertest.JWKS(t, keyA)
	issuer.Answer("/jwks", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-goOn:
			issuertest.Document(keys)(w, r)
		case <-r.Context().Done():
		}
	})
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), append(events.options(), WithWait(time.Minute))...)
	var seen *http.Request
	handler := gate.Observe(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	ctx, end := contextOf(t, time.Minute)
	r := to("/write", issuer.Token(keyA)).WithContext(ctx)
	want(t, "passes", serve(handler, r).Code, 200)
	_, isObserved := ObservedFrom(seen.Context())
	want(t, "a decision", isObserved, false)
	want(t, "none yet", text(events.decisions), "null")
	// Its handler has ended, and has changed it.
	end()
	r.Header.Del("Authorization")
	close(goOn)
	eventually(t, "the decision follows", func() bool {
		events.mu.Lock()
		defer events.mu.Unlock()
		return len(events.decisions) == 1
	})
	event := events.last(t, ModeObserved)
	want(t, "decision", event.Decision, ResultAllow)
	want(t, "it has waited", event.WaitedMS > 0, true)
}

func TestAnObservedRequestUsesUpNoProof(t *testing.T) {
	var calls atomic.Int64
	for name, options := range map[string][]Option{"the table": nil, "a store": {WithProofStore(storeOf(&calls))}} {
		events := recorded{}
		b := newBound(t, func(issuer *issuertest.Issuer) object { return dpopPolicy(issuer) }, ok, append(append(options, WithReadyWait(20e9)), events.options()...)...)
		r := to(b.URL+"/write", "")
		r.Header.Set("Authorization", "DPoP "+b.token)
		r.Header.Set("DPoP", b.sender.Proof("GET", b.URL+"/write", b.token))
		for range 2 {
			decision, isObserved := b.gate.CheckObserved(t.Context(), r)
			want(t, name, isObserved && decision.Allowed(), true)
		}
		for _, code := range []string{"allow", "proof_replayed"} {
			want(t, name+": enforced", codeOf(b.gate.Check(t.Context(), r)), code)
		}
	}
	want(t, "calls of the store", calls.Load(), 2)
}
