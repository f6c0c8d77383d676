package main

import (
	"fmt"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/exampletest"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestATokenIsVerifiedByItsOwnIssuer(t *testing.T) {
	workos, supabase := issuertest.New(t, issuertest.A), issuertest.New(t, issuertest.B)
	workos.Answer("/.well-known/openid-configuration",
		issuertest.Document(fmt.Sprintf(`{"issuer": %q, "jwks_uri": %q}`, workos.URI, workos.URI+"/jwks")))
	supabase.Answer("/auth/v1/.well-known/jwks.json", issuertest.Document(issuertest.JWKS(t, issuertest.B)))
	call := exampletest.Open(t, policy, service, map[string]string{
		"http://127.0.0.1:9001": workos.URI, "http://127.0.0.1:9002": supabase.URI,
	})
	base := supabase.URI + "/auth/v1"
	ofWorkOS := workos.Fresh(issuertest.Object{"org_id": "acme", "aud": nil})
	ofSupabase := supabase.FreshBy(issuertest.B, issuertest.Object{
		"iss": base, "aud": "authenticated", "app_metadata": issuertest.Object{"org": "acme"},
	})
	for _, test := range []struct{ name, token, target, want string }{
		{"org_id is the tenant", ofWorkOS, "/orgs/acme/seats", "200 seats of acme, by workos"},
		{"org is the tenant", ofSupabase, "/orgs/acme/seats", "200 seats of acme, by supabase"},
		{"another's organisation", ofWorkOS, "/orgs/globex/seats", "403 tenant_denied"},
		{"an unknown issuer", workos.Fresh(issuertest.Object{"iss": "https://evil.example"}), "/orgs/acme/seats", "401 issuer_unknown"},
		{"the other's key", workos.Fresh(issuertest.Object{"iss": base, "aud": "authenticated"}), "/orgs/acme/seats", "401 key_unknown"},
		{"a claim that only the other reads", supabase.FreshBy(issuertest.B, issuertest.Object{
			"iss": base, "aud": "authenticated", "org_id": "acme",
		}), "/orgs/acme/seats", "403 tenant_denied"},
	} {
		if got := call("GET", test.target, test.token); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
