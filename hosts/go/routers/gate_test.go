package main

import (
	"encoding/json"
	"testing"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type object = issuertest.Object

func newGate(t *testing.T, issuer *issuertest.Issuer) *countersign.Gate {
	t.Helper()
	policy, err := json.Marshal(object{
		"contract": "1",
		"issuers":  []object{issuer.Entry("platform")},
		"rules": []object{
			{"path": "/public/**", "public": true},
			{"path": "/admin/**", "require": object{"scopes": []string{"admin"}}},
		},
		"forward": object{"x-auth-subject": "subject"},
	})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := countersign.New(t.Context(), policy, countersign.WithInstances(2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gate.Close() })
	return gate
}
