package countersign

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestTheFirstCheckFetchesTheKeysAndDecides(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	decision, err := gate.Check(t.Context(), to("/orgs/acme/1?a=b", issuer.Token(keyA)))
	if err != nil {
		t.Fatal(err)
	}
	principal := decision.Grant.Principal
	want(t, "issuer", principal.Issuer, "platform")
	want(t, "subject", principal.Subject, "ada")
	want(t, "tenant", principal.Tenant, "acme")
	want(t, "scopes", strings.Join(principal.Scopes, " "), "read write")
	want(t, "expiry", principal.ExpiresAt.Unix(), start.Unix()+100_000)
	want(t, "documents fetched", issuer.Requests("/jwks"), 1)
}

func TestEveryRequestGetsItsCode(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	good := issuer.Token(keyA)
	for _, test := range []struct{ name, target, token, code string }{
		{"a good token", "/write", good, "allow"},
		{"the same again, remembered", "/write", good, "allow"},
		{"public", "/healthz", "", "allow"},
		{"optional without a token", "/feed", "", "allow"},
		{"no token", "/write", "", "token_missing"},
		{"nonsense", "/write", "nonsense", "token_malformed"},
		{"a scope is missing", "/admin", good, "scope_insufficient"},
		{"another tenant", "/orgs/globex/1", good, "tenant_denied"},
		{"expired", "/write", issuer.Token(keyA, object{"exp": start.Unix() - 600}), "token_expired"},
		{"another audience", "/write", issuer.Token(keyA, object{"aud": "other"}), "audience_mismatch"},
		{"another issuer's", "/write", issuer.Token(keyA, object{"iss": "https://evil.example"}), "issuer_unknown"},
		{"an unknown key", "/write", issuer.Token(keyB), "key_unknown"},
		{"two readings of a path", "/orgs/acme/%2e%2e/globex", good, "request_ambiguous"},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, "code", check(t, gate, test.target, test.token), test.code) })
	}
}

func TestADenialHasEverythingForTheResponse(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	policy["realm"] = "platform"
	gate := newGate(t, newClock(), policy)
	_, err := gate.Check(t.Context(), to("/admin", issuer.Token(keyA)))
	var denial *Denial
	if !errors.As(err, &denial) {
		t.Fatalf("%v is no denial", err)
	}
	want(t, "status", denial.Status, http.StatusForbidden)
	want(t, "code", denial.Code, "scope_insufficient")
	if !strings.Contains(denial.Challenge, `realm="platform", error="insufficient_scope"`) {
		t.Errorf("challenge: %s", denial.Challenge)
	}
}

func TestATokenIsVerifiedWithoutARequest(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	token := issuer.Token(keyA)
	for _, test := range []struct {
		token   string
		require Require
		code    string
	}{
		{token, "", "allow"},
		{token, `{"scopes": {"all": ["read"]}}`, "allow"},
		{token, `{"scopes": {"all": ["admin"]}}`, "scope_insufficient"},
		{token, `{"scopes": {"all": ["admin"]}}`, "scope_insufficient"},
		{token, `{"tenant": "present"}`, "allow"},
		{"", "", "token_missing"},
		{token + "x", "", "token_malformed"},
	} {
		want(t, string(test.require), codeOf(gate.Verify(t.Context(), test.token, test.require)), test.code)
	}
	var refused *PolicyError
	decision, err := gate.Verify(t.Context(), token, `{"scope": ["read"]}`)
	if !errors.As(err, &refused) || len(refused.Problems) == 0 || decision.Allowed() {
		t.Errorf("a requirement with a typing error: %v, %v", decision, err)
	}
}

func TestARefusedPolicyListsEveryProblem(t *testing.T) {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["contract"], policy["leeway_s"] = "2", -1
	gate, err := New(t.Context(), []byte(text(policy)))
	var refused *PolicyError
	if !errors.As(err, &refused) || gate != nil {
		t.Fatalf("%v", err)
	}
	for _, pointer := range []string{"/contract", "/leeway_s"} {
		if !strings.Contains(err.Error(), pointer) {
			t.Errorf("%s is not in %q", pointer, err)
		}
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	leave := make(chan struct{})
	issuer.Answer("/jwks", func(http.ResponseWriter, *http.Request) { <-leave })
	defer close(leave)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	decision, err := gate.Check(ctx, to("/write", issuer.Token(keyA)))
	if !errors.Is(err, context.DeadlineExceeded) || decision.Allowed() {
		t.Errorf("%v, %v", decision, err)
	}
	cancel()
	if _, err := gate.Check(ctx, to("/healthz", "")); err == nil {
		t.Error("a check was decided after its context had ended")
	}
}

func TestExplainAndInspectShowTheReason(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	token := issuer.Token(keyA)
	want(t, "check", check(t, gate, "/write", token), "allow")
	steps, err := gate.Explain(t.Context(), to("/admin", token))
	if err != nil || len(steps) == 0 {
		t.Fatal(steps, err)
	}
	last := steps[len(steps)-1]
	want(t, "last step", last.Verdict, VerdictFail)
	want(t, "its code", last.Code, "scope_insufficient")

	inspection, err := gate.Inspect(t.Context(), token)
	if err != nil || !strings.Contains(inspection.Claims, `"ada"`) || inspection.Fault != "" {
		t.Errorf("%+v, %v", inspection, err)
	}
	want(t, "signature", inspection.SignatureBytes, 256)
	inspection, _ = gate.Inspect(t.Context(), "a.b")
	want(t, "fault", inspection.Fault, "token_malformed")
	want(t, "detail", inspection.Detail, "3 bytes in 2 parts")
}

func TestLintListsErrorsAndWarnings(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	for _, test := range []struct {
		rule object
		want string
	}{
		{object{"path": "/x", "require": object{}}, "warning: /rules/6/path: earlier rules match every request that this path could match (unreachable)"},
		{object{"path": "/x"}, "/rules/6: say who may pass: `public`, `optional` or `require` (`\"require\": {}` asks for a good token and nothing more) (field_missing)"},
	} {
		policy := policyOf(issuer.Entry("platform"))
		policy["rules"] = append(policy["rules"].([]object), test.rule)
		problems, err := Lint([]byte(text(policy)))
		if err != nil {
			t.Fatal(err)
		}
		var last string
		for _, problem := range problems {
			last = problem.String()
		}
		want(t, "the last problem", last, test.want)
	}
}

func TestAClosedGateAdmitsNothing(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	if err := gate.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, "public", check(t, gate, "/healthz", ""), "internal_error")
	if err := gate.Reload(t.Context(), []byte("{}")); err == nil {
		t.Error("a closed gate was reloaded")
	}
	if _, err := gate.Status(t.Context()); err == nil {
		t.Error("a closed gate has a status")
	}
	if err := gate.Close(); err != nil {
		t.Error("closed twice:", err)
	}
}
