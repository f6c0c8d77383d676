package countersign

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// servicePolicy returns a policy whose rule for `/both` asks for a service
// beside the user. One issuer's tokens are good for both, from their own places.
func servicePolicy(issuer *issuertest.Issuer) object {
	policy := policyOf(issuer.Entry("platform"))
	policy["credentials"] = []object{
		{"header": "authorization", "scheme": "Bearer", "issuers": []string{"platform"}},
		{"header": "x-service", "issuers": []string{"platform"}, "principal": "service"},
	}
	policy["rules"] = []object{
		{"path": "/user", "require": object{}},
		{"path": "/both", "require": object{}, "principals": object{"service": object{}}},
	}
	return policy
}

func TestAHandlerGetsThePrincipalsBesideTheUserAndNoCacheMixesThemUp(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), servicePolicy(issuer), WithInstances(1))
	var seen string
	handler := gate.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("X-Auth-Subject")
		if service, ok := NamedPrincipalFrom(r.Context(), "service"); ok {
			seen += " by " + service.Subject + " of " + text(service.Tenants)
		}
	}))
	user, service := issuer.Token(keyA), issuer.Token(keyA, object{"sub": "build"})
	for range 2 {
		both := to("/both", user)
		both.Header.Set("X-Service", service)
		handler.ServeHTTP(httptest.NewRecorder(), both)
		want(t, "both", seen, `ada by build of ["acme"]`)
		// The service's token is now a user's.
		handler.ServeHTTP(httptest.NewRecorder(), to("/user", service))
		want(t, "the user alone", seen, "build")
	}
}

func TestADenialNamesThePrincipalBesideTheUser(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), servicePolicy(issuer))
	_, err := gate.Check(t.Context(), to("/both", issuer.Token(keyA)))
	var denial *Denial
	if !errors.As(err, &denial) {
		t.Fatal(err)
	}
	want(t, "denial", denial.Code+" of "+denial.Principal, "token_missing of service")
}
