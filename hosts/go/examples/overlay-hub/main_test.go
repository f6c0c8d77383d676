package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/exampletest"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestNodesJoinAndSpeakWithinTheirTenant(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	var gate *countersign.Gate
	keep := func(opened *countersign.Gate) http.Handler { gate = opened; return hub(opened) }
	call := exampletest.Open(t, policy, keep, map[string]string{"http://127.0.0.1:9000": issuer.URI})
	token := func(typ, scope string) string {
		return issuer.Fresh(issuertest.Object{"aud": "overlay", "typ": typ, "sub": typ + "-7", "tenant_id": "acme", "scope": scope})
	}
	join, node, person := token("njt", "node:join"), token("nat", "node:speak"), token("pat", "api:nodes:read")
	for _, test := range []struct{ method, target, token, want string }{
		{"POST", "/tenants/acme/join", join, "200 njt-7 joins acme"},
		{"POST", "/tenants/globex/join", join, "403 tenant_denied"},
		{"POST", "/tenants/acme/join", node, "403 type_denied"},
		{"GET", "/tenants/acme/peers", node, "200 nat-7 sees its peers in acme"},
		{"GET", "/tenants/acme/peers", person, "200 pat-7 sees its peers in acme"},
		{"GET", "/tenants/globex/peers", person, "403 tenant_denied"},
		{"GET", "/tenants/acme/peers", join, "403 type_denied"},
		{"GET", "/tenants/acme/peers", token("njt", "node:speak"), "401 claim_mismatch"},
	} {
		if got := call(test.method, test.target, test.token); got != test.want {
			t.Errorf("%s %s: got %s, want %s", test.method, test.target, got, test.want)
		}
	}
	for token, want := range map[string]string{
		node:     "welcome to acme",
		join:     "type_denied",
		person:   "type_denied",
		"":       "token_missing",
		"a.b.c.": "token_malformed",
	} {
		if got := answerOf(t, gate, token); got != want {
			t.Errorf("answerOf: got %s, want %s", got, want)
		}
	}
}

func answerOf(t *testing.T, gate *countersign.Gate, token string) string {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go serveNode(gate, there)
	if _, err := fmt.Fprintln(here, token); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(here).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(answer)
}
