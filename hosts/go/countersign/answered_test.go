package countersign

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

const metadataPath = "/.well-known/oauth-protected-resource/write"

// metadataPolicy has the metadata of one resource.
func metadataPolicy(t *testing.T) object {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["challenge"] = object{"scope": true, "resource_metadata": object{"resource": "https://api.example.com/write"}}
	return policy
}

func TestTheMiddlewareSendsAnAnswerOfTheGate(t *testing.T) {
	server := httptest.NewServer(newGate(t, newClock(), metadataPolicy(t)).Middleware(http.NotFoundHandler()))
	defer server.Close()
	ask := func(method, path string) (*http.Response, string) {
		r, _ := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		r.Host = "api.example.com"
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body strings.Builder
		_ = response.Write(&body)
		return response, body.String()
	}
	for _, method := range []string{"GET", "HEAD"} {
		response, body := ask(method, metadataPath)
		want(t, "status", response.StatusCode, 200)
		want(t, "type", response.Header.Get("Content-Type"), "application/json")
		want(t, "origins", response.Header.Get("Access-Control-Allow-Origin"), "*")
		want(t, method, strings.HasSuffix(body, `{"resource":"https://api.example.com/write"}`), method == "GET")
	}
	response, _ := ask("POST", "/write")
	want(t, "status", response.StatusCode, 401)
	want(t, "challenge", response.Header.Get("WWW-Authenticate"),
		`Bearer realm="countersign", scope="write", resource_metadata="https://api.example.com`+metadataPath+`"`)
}

func TestAnAnswerIsAnErrorOfCheck(t *testing.T) {
	gate := newGate(t, newClock(), metadataPolicy(t))
	r := to(metadataPath, "")
	r.Host = "api.example.com"
	decision, err := gate.Check(t.Context(), r)
	var answered *Answered
	want(t, "error", errors.As(err, &answered) && decision.Answered == answered, true)
	want(t, "allowed", decision.Allowed(), false)
}

func TestChangesAreMadeByExactNameAlsoWithoutAPrincipal(t *testing.T) {
	decision := Decision{Grant: &Grant{RemoveHeaders: []string{"x-gone"}}, Changes: []Change{
		{Header: Header{Name: "x-a"}, IsRemoval: true},
		{Header: Header{"cookie", "b=2"}},
	}}
	header := http.Header{"X-A": {"1"}, "X_a": {"2"}, "x-a": {"3"}, "X_Gone": {"4"}, "Cookie": {"a=1", "b=2"}}
	want(t, "header", text(decision.Apply(header)), text(http.Header{"X_a": {"2"}, "Cookie": {"b=2"}}))
}

func TestATargetIsSetEverywhere(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%2fb/c?access_token=secret&b=2", nil)
	_ = r.ParseForm()
	decision := Decision{Grant: &Grant{}, Changes: []Change{{Target: "/a%2fb/c?b=2"}}}
	next, err := decision.forwarded(r)
	want(t, "error", err, nil)
	want(t, "target", next.RequestURI+" "+next.URL.String(), "/a%2fb/c?b=2 /a%2fb/c?b=2")
	want(t, "raw path", next.URL.RawPath, "/a%2fb/c")
	want(t, "form", text(next.Form), text(url.Values{"b": {"2"}}))
	want(t, "the caller's own request", r.FormValue("access_token"), "secret")
	decision.Changes[0].Target = "no target"
	_, err = decision.forwarded(r)
	want(t, "a target that is none", err != nil, true)
}
