package countersign

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func serve(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// echo answers with the principal and the headers that the handler gets.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	grant, ok := FromContext(r.Context())
	subject := "anonymous"
	if ok && grant.Principal != nil {
		subject = grant.Principal.Subject
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"subject": subject, "header": r.Header})
})

func TestTheHandlerGetsTheCaller(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	policy["strip_credential"] = true
	handler := newGate(t, newClock(), policy).Middleware(echo)
	r := to("/write", issuer.Token(keyA))
	r.Header.Set("X-Auth-Subject", "admin")
	r.Header.Set("X-Other", "kept")
	served := serve(handler, r)
	want(t, "status", served.Code, 200)
	var got struct {
		Subject string
		Header  http.Header
	}
	if err := json.NewDecoder(served.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want(t, "subject", got.Subject, "ada")
	want(t, "headers", text(got.Header), text(http.Header{
		"X-Auth-Subject": {"ada"}, "X-Auth-Tenant": {"acme"}, "X-Other": {"kept"},
	}))
	want(t, "the caller's own request", r.Header.Get("X-Auth-Subject"), "admin")
}

func TestASpoofedHeaderIsRemovedFromAnonymousRequestsToo(t *testing.T) {
	handler := newGate(t, newClock(), policyOf(issuertest.New(t, keyA).Entry("platform"))).Middleware(echo)
	r := to("/healthz", "")
	r.Header.Set("X-Auth-Subject", "admin")
	served := serve(handler, r)
	want(t, "body", strings.Contains(served.Body.String(), "admin"), false)
	want(t, "subject", strings.Contains(served.Body.String(), "anonymous"), true)
}

func TestADenialIsAnswered(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/jwks", issuertest.Status(500))
	handler := newGate(t, newClock(), policyOf(issuer.Entry("platform"))).Middleware(echo)
	served := serve(handler, to("/write", "nonsense"))
	want(t, "status", served.Code, 401)
	want(t, "cache", served.Header().Get("Cache-Control"), "no-store")
	want(t, "challenge", strings.Contains(served.Header().Get("WWW-Authenticate"), `error="invalid_token"`), true)
	var body map[string]string
	if err := json.NewDecoder(served.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	want(t, "code", body["code"], "token_malformed")

	served = serve(handler, to("/write", issuer.Token(keyA)))
	want(t, "status", served.Code, 503)
	want(t, "retry", served.Header().Get("Retry-After") != "", true)
}

func TestOnlyCookiesOfThePolicyAreRemoved(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	policy["strip_credential"] = true
	policy["credentials"] = []object{{"cookie": "session", "same_origin": true}}
	handler := newGate(t, newClock(), policy).Middleware(echo)
	r := to("/write", "")
	r.Header["Cookie"] = []string{"a=1; session=" + issuer.Token(keyA), "theme=dark;lang=\"de\""}
	served := serve(handler, r)
	want(t, "status", served.Code, 200)
	left := `"Cookie":["a=1; theme=dark; lang=\"de\""]`
	want(t, "cookies", strings.Contains(served.Body.String(), left), true)
}

func TestAHandlerCanRequireMoreScopesThanThePolicy(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	entry := issuer.Entry("platform")
	entry["scope_wildcards"] = true
	policy := policyOf(entry)
	policy["strip_credential"] = true
	policy["credentials"] = []object{{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session", "same_origin": true}}
	gate := newGate(t, newClock(), policy)
	handler := func(scopes ...string) http.Handler { return gate.Middleware(RequireScopes(scopes...)(echo)) }
	plain, wild := issuer.Token(keyA), issuer.Token(keyA, object{"scope": "api:*"})
	cookie := to("/any", "")
	cookie.Header.Set("Cookie", `a=b; session="`+plain+`"`)
	for name, test := range map[string]struct {
		handler http.Handler
		request *http.Request
		status  int
	}{
		"it has them":        {handler("read", "write"), to("/any", plain), 200},
		"one is missing":     {handler("read", "admin"), to("/any", plain), 403},
		"a wildcard":         {handler("api:write"), to("/any", wild), 200},
		"in a cookie":        {handler("write"), cookie, 200},
		"in a cookie, not":   {handler("admin"), cookie, 403},
		"anonymous":          {handler("read"), to("/feed", ""), 401},
		"without middleware": {RequireScopes("read")(echo), to("/any", plain), 503},
	} {
		t.Run(name, func(t *testing.T) { want(t, "status", serve(test.handler, test.request).Code, test.status) })
	}
	served := serve(handler("admin"), to("/any", plain))
	challenge := served.Header().Get("WWW-Authenticate")
	want(t, challenge, strings.Contains(challenge, `error="insufficient_scope"`) && strings.Contains(challenge, `scope="admin"`), true)
}

// A token with more scopes does not count where the policy reads no credential.
func TestScopesOfAnotherTokenDoNotCount(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	reads := gate.inForce.Load().reads
	gate.inForce.Load().reads = append(reads, headerName{"x-other", "X-Other"})
	r := to("/any", issuer.Token(keyA))
	r.Header.Set("X-Other", issuer.Token(keyA, object{"scope": "admin", "sub": "eve"}))
	want(t, "status", serve(gate.Middleware(RequireScopes("admin")(echo)), r).Code, 403)
}

func TestTheTargetIsAsTheClientSentItUnlessAHandlerChangedIt(t *testing.T) {
	for _, test := range []struct{ requestURI, authority, target string }{
		{"/a/b?c=d", "", "/a/b?c=d"},
		{"/a?", "", "/a?"},
		{"/a%2fb", "", "/a%2fb"},
		{"/a%40b%20", "", "/a%40b%20"},
		{"/p%75blic", "", "/p%75blic"},
		{"http://example.com/a%2D", "example.com", "/a%2D"},
		{"/\"quoted\"/\xff", "", "/\"quoted\"/\xff"},
		{"/a;b", "", "/a;b"},
		{"//evil/x", "", "//evil/x"},
		{"/http://evil/x", "", "/http://evil/x"},
		{"http://example.com/a?b", "example.com", "/a?b"},
		{"HTTP://Example.com:80/a%2Fb", "Example.com:80", "/a%2Fb"},
		{"http://example.com", "example.com", "/"},
		{"http://example.com?x", "example.com", "/?x"},
		{"http://user:secret@example.com/a", "user:secret@example.com", "/a"},
		// The module refuses these targets, because handlers read them
		// differently.
		{"*", "", "*"},
		{"x:y://z/public", "", ""},
		{"x:http://admin.example/secret", "", ""},
		{"http:/public", "", "http:/public"},
		{"http:public", "", ""},
		{"ftp://example.com/a", "example.com", "ftp://example.com/a"},
	} {
		authority, target := targetOf(parsed(t, "GET", test.requestURI))
		want(t, test.requestURI, text([]string{authority, target}), text([]string{test.authority, test.target}))
	}
	_, target := targetOf(parsed(t, "CONNECT", "example.com:443"))
	want(t, "CONNECT", target, "example.com:443")
}

func TestAChangedTargetIsCheckedAsHandlersSeeItOrRefused(t *testing.T) {
	for _, test := range []struct {
		name, sent string
		change     func(r *http.Request)
		target     string
	}{
		{"as raw as it was", "/a%2Fb?c", strip(""), "/a%2Fb?c"},
		{"without a prefix", "/api/a%2Fb?c", strip("/api"), "/a%2Fb?c"},
		{"without anything", "/api", strip("/api"), "/"},
		{"without its slash", "/api/admin", strip("/api/"), "admin"},
		{"an empty query", "/api/a?", strip("/api"), "/a?"},
		{"the raw path is gone", "/a%2Fb", func(r *http.Request) { r.URL.RawPath = "" }, "/a/b"},
		{"another query", "/a?b", func(r *http.Request) { r.URL.RawQuery = "c" }, "/a?c"},
		{"two paths", "/a", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/admin", "/public" }, ""},
		{"a raw path that is none", "/a", func(r *http.Request) { r.URL.RawPath = "/%zz" }, ""},
		{"opaque", "/public", func(r *http.Request) { r.URL.Opaque = "//other/secret" }, ""},
		{"nothing", "/a", func(r *http.Request) { r.URL = nil }, ""},
		{"of a client", "/a", func(r *http.Request) { r.RequestURI = "" }, "/a"},
	} {
		r := parsed(t, "GET", test.sent)
		test.change(r)
		_, target := targetOf(r)
		want(t, test.name, target, test.target)
	}
}

func strip(prefix string) func(r *http.Request) {
	return func(r *http.Request) {
		handler := http.HandlerFunc(func(_ http.ResponseWriter, stripped *http.Request) { *r = *stripped })
		serve(http.StripPrefix(prefix, handler), r)
	}
}

func TestEveryVariantOfAFieldNameIsPassedToTheModule(t *testing.T) {
	r := to("/a", "")
	r.Host = "api.example.com"
	r.Header = http.Header{
		"Authorization": {"Bearer a", "Bearer b"}, "authorization": {"Bearer c"}, "Sec_Fetch_Site": {"none"},
		"X-Other": {"d"}, ":protocol": {"websocket"}, "Host": {"other.example.com"},
	}
	request := requestOf(r, headerNames([]string{"authorization", "sec-fetch-site", ":protocol", "host"}))
	got := map[string][]string{}
	for _, header := range request.Headers {
		got[header.Name] = append(got[header.Name], header.Value)
	}
	slices.Sort(got["authorization"])
	slices.Sort(got["host"])
	want(t, "headers", text(got), text(map[string][]string{
		"authorization": {"Bearer a", "Bearer b", "Bearer c"}, "sec_fetch_site": {"none"},
		":protocol": {"websocket"}, "host": {"api.example.com", "other.example.com"},
	}))
	want(t, "authority of HTTP/1", request.Authority, "")
	r.ProtoMajor = 2
	want(t, "authority of HTTP/2", requestOf(r, nil).Authority, "api.example.com")
}

func parsed(t *testing.T, method, target string) *http.Request {
	t.Helper()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer server.Close()
	rawExchange(t, server.Listener.Addr().String(), method+" "+target+" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	if got == nil {
		t.Fatalf("net/http refuses %q by itself", target)
	}
	return got
}

func rawExchange(t *testing.T, address, request string) string {
	t.Helper()
	connection := dial(t, address)
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return connection
}
