package countersign

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// A view is everything of a request that a handler can see.
type view struct {
	Host, URL       string
	Header, Trailer http.Header
	Body            string
}

var echoView = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(view{r.Host, r.URL.String(), r.Header, r.Trailer, string(body)})
})

func readView(t *testing.T, answer string) (back view) {
	t.Helper()
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	if err := json.Unmarshal([]byte(body[strings.Index(body, "{"):strings.LastIndex(body, "}")+1]), &back); err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return back
}

func TestEveryVariantOfAnIdentityHeaderIsRemoved(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	server := httptest.NewServer(gate.Middleware(echoView))
	defer server.Close()
	send := func(path, fields string) view {
		return readView(t, rawExchange(t, server.Listener.Addr().String(),
			"GET "+path+" HTTP/1.1\r\nHost: example.com\r\n"+fields+"Connection: close\r\n\r\n"))
	}
	spoofed := "X_Auth_Subject: eve\r\nx-auth_subject: eve\r\nX-AUTH-SUBJECT: eve\r\nX_AUTH_TENANT: eve\r\nX-Auth-Subjects: kept\r\n"
	for path, fields := range map[string]string{"/healthz": spoofed, "/feed": spoofed, "/any": spoofed + "Authorization: Bearer " + issuer.Token(keyA) + "\r\n"} {
		back := send(path, fields)
		if strings.Contains(text(back), "eve") || back.Header.Get("X-Auth-Subjects") != "kept" {
			t.Errorf("%s: %s", path, text(back))
		}
		if path == "/any" {
			want(t, "subject", text(back.Header["X-Auth-Subject"]), `["ada"]`)
		}
	}
}

func TestATrailerCannotSetAnIdentity(t *testing.T) {
	gate := newGate(t, newClock(), policyOf(issuertest.New(t, keyA).Entry("platform")))
	server := httptest.NewServer(gate.Middleware(echoView))
	defer server.Close()
	for _, announced := range []string{"X-Auth-Subject, X-Sum", "X-Sum", ""} {
		head := "POST /healthz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
		if announced != "" {
			head += "Trailer: " + announced + "\r\n"
		}
		back := readView(t, rawExchange(t, server.Listener.Addr().String(),
			head+"\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\nX-Auth-Subject: eve\r\nX_Auth_Subject: eve\r\nX-Auth-Tenant: eve\r\n\r\n"))
		want(t, "body", back.Body, "hello")
		want(t, "identities in "+text(back.Trailer), strings.Contains(text(back), "eve"), false)
		want(t, "names", strings.Contains(text(back.Trailer), "Auth"), false)
		if announced != "" {
			want(t, "another trailer", back.Trailer.Get("X-Sum"), "7")
		}
	}
}

func TestAnHTTP2TrailerCannotSetAnIdentity(t *testing.T) {
	gate := newGate(t, newClock(), policyOf(issuertest.New(t, keyA).Entry("platform")))
	server := httptest.NewUnstartedServer(gate.Middleware(echoView))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	r, err := http.NewRequest(http.MethodPost, server.URL+"/healthz", io.MultiReader(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Auth-Subject": {"eve"}, "X-Sum": {"7"}}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	want(t, "protocol", answer.ProtoMajor, 2)
	var back view
	if err := json.NewDecoder(answer.Body).Decode(&back); err != nil {
		t.Fatal(err)
	}
	want(t, "trailers", text(back.Trailer), `{"X-Sum":["7"]}`)
}

// http.ServeMux compares hosts byte by byte. Once `PUBLIC.example.com` was
// checked as the public host and served as another one.
func TestAHostIsRoutedAsItWasChecked(t *testing.T) {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["rules"] = []object{
		{"hosts": []string{"public.example.com"}, "path": "/**", "public": true},
		{"path": "/**", "require": object{}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("public.example.com/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "public") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	server := httptest.NewServer(newGate(t, newClock(), policy).Middleware(mux))
	defer server.Close()
	for _, request := range []string{
		"GET /a HTTP/1.1\r\nHost: public.example.com\r\n", "GET /a HTTP/1.1\r\nHost: PUBLIC.example.COM\r\n",
		"GET /a HTTP/1.1\r\nHost: public.example.com.\r\n", "GET /a HTTP/1.1\r\nHost: public.example.com.:80\r\n",
		"GET http://Public.example.com./a HTTP/1.1\r\nHost: other.example.com\r\n", "GET /a HTTP/1.1\r\nHost: public.example.com..\r\n",
		"GET /a HTTP/1.1\r\nHost: other.example.com\r\n", "GET http://other.example.com/a HTTP/1.1\r\nHost: public.example.com\r\n",
		"GET /a HTTP/1.0\r\n", "GET http://public.example.com@other.example.com/a HTTP/1.1\r\nHost: public.example.com\r\n",
	} {
		answer := rawExchange(t, server.Listener.Addr().String(), request+"Connection: close\r\n\r\n")
		want(t, request+answer, strings.Contains(answer, "secret"), false)
	}
}

// Handlers read `x:…` in other ways than the gate: once http.FileServer served
// `/`, and a reverse proxy sent the request to another host.
func TestATargetThatIsNoPathReachesNoHandler(t *testing.T) {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["rules"] = []object{{"path": "/public/**", "public": true}, {"path": "/**", "require": object{}}}
	gate := newGate(t, newClock(), policy)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") }))
	defer admin.Close()
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if r.Out.URL.Host == "" {
			r.SetURL(&url.URL{Scheme: "http", Host: admin.Listener.Addr().String()})
		}
	}}
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") })
	for name, handler := range map[string]http.Handler{
		"files": http.FileServer(http.Dir(t.TempDir())), "proxy": forward, "anything": reached,
	} {
		server := httptest.NewServer(gate.Middleware(handler))
		address := admin.Listener.Addr().String()
		for _, target := range []string{
			"x:y://z/public/", "x:http://" + address + "/public/", "x:/public/", "http:/public/", "http:public", "//" + address + "/public/",
			"*", "x://" + address + "/public/", "http://" + address + "/secret", "http://" + address, "/public/../secret", "/public/%2e%2e/secret",
			"/public%2f..%2fsecret", "\\public\\", "/public/\\..\\secret", "/public/;/../secret", "http://a@" + address + "/public/",
		} {
			for _, method := range []string{"GET", "OPTIONS", "CONNECT", "POST"} {
				answer := rawExchange(t, server.Listener.Addr().String(), method+" "+target+" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
				isOwn := method == "OPTIONS" && target == "*" // net/http's own empty answer
				if status := answer[9:12]; status < "400" && !isOwn {
					t.Errorf("%s: %s %s: %s", name, method, target, answer)
				}
			}
		}
		server.Close()
	}
}

func TestBehindStripPrefixTheRemainingPathIsChecked(t *testing.T) {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["rules"] = []object{{"path": "/public/**", "public": true}, {"path": "/**", "require": object{}}}
	gate := newGate(t, newClock(), policy)
	mux := http.NewServeMux()
	mux.HandleFunc("/public/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "public") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	handler := http.StripPrefix("/public", gate.Middleware(mux))
	for target, status := range map[string]int{
		"/public/public/a": 200, "/public/admin": 401, "/public": 401, "/publicadmin": 400, "/public/%2fadmin": 400, "/public//admin": 400,
	} {
		served := serve(handler, parsed(t, "GET", target).WithContext(t.Context()))
		want(t, target+": "+served.Body.String(), served.Code, status)
	}
}

func TestAPreflightPassesAnonymouslyWithTheBypass(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	send := func(gate *Gate, change func(r *http.Request)) *httptest.ResponseRecorder {
		r := to("/write", issuer.Token(keyA, object{"sub": "eve"}))
		r.Method = http.MethodOptions
		r.Header.Set("Origin", "https://www.example.com")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("X-Auth-Subject", "eve")
		r.Header["X_Auth_Subject"] = []string{"eve"}
		r.Trailer = http.Header{"X-Auth-Subject": {"eve"}}
		change(r)
		return serve(gate.Middleware(echoView), r)
	}
	none := func(*http.Request) {}
	closed := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	want(t, "by default", send(closed, func(r *http.Request) { r.Header.Del("Authorization") }).Code, 401)
	open := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithCORSPreflightBypass())
	served := send(open, none)
	want(t, "status", served.Code, 200)
	want(t, "anonymous: "+served.Body.String(), strings.Contains(served.Body.String(), "eve"), false)
	want(t, "its fields", strings.Contains(served.Body.String(), "www.example.com"), true)
	for name, change := range map[string]func(r *http.Request){
		"OPTIONS alone": func(r *http.Request) { r.Header.Del("Access-Control-Request-Method") },
		"no origin":     func(r *http.Request) { r.Header.Del("Origin") },
		"GET":           func(r *http.Request) { r.Method = http.MethodGet },
	} {
		served := send(open, func(r *http.Request) { change(r); r.Header.Del("Authorization") })
		want(t, name, served.Code, 401)
	}
}

// Two fields give the host of a request, and a handler may read either.
func TestTwoDifferentHostsAreRefused(t *testing.T) {
	policy := policyOf(issuertest.New(t, keyA).Entry("platform"))
	policy["rules"] = []object{{"hosts": []string{"public.example.com"}, "path": "/**", "public": true}, {"path": "/**", "require": object{}}}
	gate := newGate(t, newClock(), policy)
	for _, test := range []struct {
		name   string
		change func(r *http.Request)
		code   string
	}{
		{"HTTP/1", func(r *http.Request) {}, "allow"},
		{"HTTP/2", func(r *http.Request) { r.ProtoMajor = 2 }, "allow"},
		{"HTTP/2 with the same field", func(r *http.Request) { r.ProtoMajor = 2; r.Header.Set("Host", "public.example.com") }, "allow"},
		{"HTTP/2 with another", func(r *http.Request) { r.ProtoMajor = 2; r.Header.Set("Host", "other.example.com") }, "request_ambiguous"},
		{"HTTP/1 with another", func(r *http.Request) { r.Header["host"] = []string{"other.example.com"} }, "request_ambiguous"},
		{"an absolute target", func(r *http.Request) { r.RequestURI = "http://public.example.com/a"; r.URL.Host = "public.example.com" }, "allow"},
		{"another absolute target", func(r *http.Request) { r.RequestURI = "http://other.example.com/a"; r.URL.Host = "other.example.com" }, "request_ambiguous"},
		{"an absolute target in HTTP/2", func(r *http.Request) {
			r.ProtoMajor = 2
			r.RequestURI, r.URL.Host = "http://other.example.com/a", "other.example.com"
		}, "request_ambiguous"},
		{"a user", func(r *http.Request) {
			r.RequestURI = "http://a@public.example.com/a"
			r.URL.Host, r.URL.User = "public.example.com", url.User("a")
		}, "request_ambiguous"},
		{"none", func(r *http.Request) { r.Host = "" }, "token_missing"},
	} {
		r := to("/a", "")
		r.Host = "public.example.com"
		test.change(r)
		want(t, test.name, codeOf(gate.Check(t.Context(), r)), test.code)
	}
}

func TestTooManyFieldsAreRefusedAtOnce(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	for _, test := range []struct {
		count int
		code  string
	}{{maxFields - 1, "allow"}, {maxFields + 1, "request_ambiguous"}, {100_000, "request_ambiguous"}} {
		r := to("/write", "")
		r.Header["Authorization"] = slices.Repeat([]string{"Bearer " + issuer.Token(keyA)}, test.count)
		want(t, fmt.Sprint(test.count), codeOf(gate.Check(t.Context(), r)), test.code)
	}
}

// Otherwise a later proxy would remove a header that the gate has set.
func TestAConnectionFieldCannotRemoveAnIdentity(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	for _, test := range []struct{ name, value, code string }{
		{"Connection", "keep-alive", "allow"},
		{"Connection", "x-auth-subject", "request_ambiguous"},
		{"Connection", "close, X-Auth-Tenant", "request_ambiguous"},
		{"connection", "x-auth-subject", "request_ambiguous"},
	} {
		r := to("/write", issuer.Token(keyA))
		r.Header[test.name] = []string{test.value}
		want(t, test.value, codeOf(gate.Check(t.Context(), r)), test.code)
	}
}

// A WebSocket's handshake is a GET request that any site can make a browser
// send.
func TestTheOriginOfAWebSocketHandshakeIsChecked(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	policy["credentials"] = []object{{"cookie": "session", "same_origin": true}}
	gate := newGate(t, newClock(), policy)
	for _, test := range []struct {
		name   string
		change func(r *http.Request)
		code   string
	}{
		{"a page", func(r *http.Request) {}, "allow"},
		{"an upgrade", func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }, "origin_denied"},
		{"an upgrade from here", func(r *http.Request) {
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Origin", "https://example.com")
		}, "allow"},
		{"extended CONNECT", func(r *http.Request) { r.ProtoMajor = 2; r.Header[":protocol"] = []string{"websocket"} }, "origin_denied"},
		{"as a browser sends it", func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "websocket") }, "origin_denied"},
	} {
		r := to("/any", "")
		r.Header.Set("Cookie", "session="+issuer.Token(keyA))
		r.Header.Set("Origin", "https://evil.example")
		test.change(r)
		want(t, test.name, codeOf(gate.Check(t.Context(), r)), test.code)
	}
}

// Only for CONNECT does ServeMux compare the host with its port, so it may
// choose another handler than for other methods.
func TestConnectWithAPathIsRefused(t *testing.T) {
	request := httptest.NewRequest(http.MethodConnect, "/hosted", nil)
	if _, target := targetOf(request); target != noTarget {
		t.Fatalf("CONNECT /hosted is checked as %q", target)
	}
	request.Header[":protocol"] = []string{"websocket"}
	if _, target := targetOf(request); target == noTarget {
		t.Fatal("an extended CONNECT (RFC 8441 §4) has a path")
	}
}
