package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/exampletest"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestTheREADMEHasThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\n")
	if !strings.Contains(string(readme), "```go\n"+code+"```") {
		t.Error("the README shows another one")
	}
}

func TestAPublicRuleHasNoCaller(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	policy := `{"contract": "1", "rules": [{"path": "/", "optional": true}], "issuers": [{
		"name": "platform", "issuer": "ISSUER", "audiences": ["api"], "algorithms": ["RS256"],
		"keys": {"jwks_uri": "ISSUER/jwks", "insecure_http": true}
	}]}`
	serve := func(gate *countersign.Gate) http.Handler { return gate.Middleware(service()) }
	call := exampletest.Open(t, []byte(policy), serve, map[string]string{"ISSUER": issuer.URI})
	token := issuer.Fresh(issuertest.Object{"aud": "api", "sub": "ada"})
	for _, test := range []struct{ token, want string }{{"", "200 hello, whoever you are"}, {token, "200 hello ada"}, {"x", "401 token_malformed"}} {
		if got := call("GET", "/", test.token); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
