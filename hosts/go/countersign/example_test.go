package countersign_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// The key is that of RFC 7515, Appendix A.3.
var policy = []byte(`{
	"contract": "1",
	"issuers": [{
		"name": "platform",
		"issuer": "https://auth.example.com",
		"audiences": ["platform"],
		"algorithms": ["ES256"],
		"keys": { "jwks": { "keys": [{
			"kty": "EC", "crv": "P-256",
			"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
		}] } }
	}],
	"rules": [
		{ "path": "/healthz", "public": true },
		{ "path": "/assets/**", "require": { "scopes": { "all": ["api:assets:read"] } } }
	],
	"realm": "platform"
}`)

func Example() {
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		log.Fatal(err)
	}
	defer gate.Close()
	handler := gate.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grant, _ := countersign.FromContext(r.Context())
		fmt.Fprintln(w, "principal:", grant.Principal)
	}))

	for _, path := range []string{"/healthz", "/assets/logo.svg"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("WWW-Authenticate"))
		fmt.Print(w.Body)
	}
	// Output:
	// 200 ""
	// principal: <nil>
	// 401 "Bearer realm=\"platform\""
	// {"code":"token_missing","message":"a token is required"}
}

func ExampleGate_Check() {
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		log.Fatal(err)
	}
	defer gate.Close()
	request := httptest.NewRequest(http.MethodGet, "/assets/../secrets", nil)
	decision, err := gate.Check(context.Background(), request)
	var denial *countersign.Denial
	if errors.As(err, &denial) {
		fmt.Println(decision.Allowed(), denial.Status, denial.Code)
	}
	// Output: false 400 request_ambiguous
}

func ExampleGate_Verify() {
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		log.Fatal(err)
	}
	defer gate.Close()
	_, err = gate.Verify(context.Background(), "not.a.token", `{"scopes": {"all": ["api:read"]}}`)
	fmt.Println(err)
	// Output: countersign: the token is not a compact JWS (token_malformed)
}

func ExampleNew_problems() {
	_, err := countersign.New(context.Background(), []byte(`{"contract": "1", "issuer": []}`))
	var refused *countersign.PolicyError
	if errors.As(err, &refused) {
		for _, problem := range refused.Problems {
			fmt.Printf("%q %s\n", problem.Pointer, problem.Code)
		}
	}
	// Output:
	// "" field_missing
	// "/issuer" field_unknown
}

func ExampleRequireScopes() {
	gate, err := countersign.New(context.Background(), policy)
	if err != nil {
		log.Fatal(err)
	}
	defer gate.Close()
	mux := http.NewServeMux()
	remove := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("DELETE /assets/{name}", countersign.RequireScopes("api:assets:delete")(remove))
	w := httptest.NewRecorder()
	gate.Middleware(mux).ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/assets/logo.svg", nil))
	fmt.Println(w.Code)
	// Output: 401
}
