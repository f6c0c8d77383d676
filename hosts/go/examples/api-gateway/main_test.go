package main

import (
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/exampletest"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestEachTokenTypeIsAcceptedOnItsOwnRoutes(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	call := exampletest.Open(t, policy, gateway, map[string]string{"http://127.0.0.1:9000": issuer.URI})
	pat := issuer.Fresh(issuertest.Object{
		"aud": "platform", "typ": "pat", "sub": "ada", "tenant_id": "acme", "scopes": []string{"api:assets:read"},
	})
	admin := issuer.Fresh(issuertest.Object{
		"aud": "platform", "typ": "pat", "sub": "eve", "tenant_id": "acme",
		"scopes": []string{"api:assets:read", "api:assets:delete"},
	})
	nat := issuer.Fresh(issuertest.Object{"aud": "platform", "typ": "nat", "sub": "node-7", "scope": "node:ingest"})
	for _, test := range []struct{ method, target, token, want string }{
		{"GET", "/healthz", "", "200 ok"},
		{"GET", "/assets/logo", pat, "200 logo of tenant acme, for ada"},
		{"GET", "/assets/logo", nat, "403 type_denied"},
		{"GET", "/assets/logo", "", "401 token_missing"},
		{"DELETE", "/assets/logo", pat, "403 scope_insufficient"},
		{"DELETE", "/assets/logo", admin, "204"},
		{"POST", "/ingest/metrics", nat, "200 from node node-7"},
		{"POST", "/ingest/metrics", pat, "403 type_denied"},
		{"GET", "/elsewhere", pat, "403 rule_denied"},
	} {
		if got := call(test.method, test.target, test.token); got != test.want {
			t.Errorf("%s %s: got %s, want %s", test.method, test.target, got, test.want)
		}
	}
}
