package countersign

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestACancelledRequestIsNotAnErrorOfTheGate(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/jwks", neverAnswer)
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithLogger(logger))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := to("/write", issuer.Token(keyA)).WithContext(ctx)
	decision, err := gate.Check(ctx, r)
	if err != context.DeadlineExceeded || decision.Denial != nil || decision.Grant != nil {
		t.Errorf("%v, %v", decision, err)
	}
	served := serve(gate.Middleware(echoView), r)
	want(t, "status, if the client is still connected", served.Code, 503)
	want(t, "body", served.Body.String(), "")
	want(t, "log", strings.Contains(log.String(), "countersign: cancelled"), true)
	want(t, "no denial", strings.Contains(log.String()+served.Body.String(), "internal_error"), false)
}

// Grants that do not come from Middleware.
func TestScopesAreRequiredWhateverTheTransport(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	entry := issuer.Entry("platform")
	entry["scope_wildcards"] = true
	gate := newGate(t, newClock(), policyOf(entry))
	token := issuer.Token(keyA, object{"scope": "read api:*"})
	checked, err := gate.Check(t.Context(), to("/any", token))
	if err != nil {
		t.Fatal(err)
	}
	verified, err := gate.Verify(t.Context(), token, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := gate.Check(t.Context(), to("/healthz", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		grant *Grant
		scope string
		want  int
	}{
		{"checked", checked.Grant, "read", 200},
		{"checked, by a wildcard", checked.Grant, "api:write", 200},
		{"checked, without it", checked.Grant, "admin", 403},
		{"verified", verified.Grant, "api:write", 200},
		{"verified, without it", verified.Grant, "admin", 403},
		{"public", public.Grant, "read", 401},
		{"a test's own", &Grant{Principal: &Principal{Scopes: []string{"read"}}}, "read", 200},
		{"a test's own, without it", &Grant{Principal: &Principal{Scopes: []string{"read"}}}, "admin", 403},
		{"a test's anonymous grant", &Grant{}, "read", 403},
		{"none", nil, "read", 503},
	} {
		r := to("/elsewhere", "")
		r = r.WithContext(NewContext(r.Context(), test.grant))
		want(t, test.name, serve(RequireScopes(test.scope)(echo), r).Code, test.want)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := to("/elsewhere", "")
	served := serve(RequireScopes("read")(echo), r.WithContext(NewContext(ctx, checked.Grant)))
	want(t, "a caller that is gone", served.Body.String(), "")
}
