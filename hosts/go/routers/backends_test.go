package routers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	countersign "github.com/countersign/countersign/hosts/go"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type object = issuertest.Object

// Scopes are named as the handlers that want them.
func scoped(path, scope string) object {
	return object{"path": path, "require": object{"scopes": []string{scope}}}
}

func newGate(t *testing.T, issuer *issuertest.Issuer) *countersign.Gate {
	t.Helper()
	policy, err := json.Marshal(object{
		"contract": "1",
		"issuers":  []object{issuer.Entry("platform")},
		"rules": []object{
			{"path": "/public/**", "public": true},
			{"path": "/a@b:c/**", "public": true},
			scoped("/read/**", "read"),
			scoped("/admin/**", "admin"),
			scoped("/items/{id}", "item"),
			scoped("/**", "root"),
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

// named says which handler ran, and whether it saw an identity that the gate
// has not set.
func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for field, values := range r.Header {
			isIdentity := strings.EqualFold(strings.ReplaceAll(field, "_", "-"), "x-auth-subject")
			if isIdentity && (len(values) != 1 || values[0] != "ada") {
				name = "spoofed"
			}
		}
		w.Header().Set("Handler", name)
		fmt.Fprintln(w, name)
	}
}

func mux() http.Handler {
	mux := http.NewServeMux()
	for _, name := range []string{"public", "read", "admin"} {
		mux.Handle("/"+name+"/", named(name))
	}
	mux.Handle("/a@b:c/", named("public"))
	mux.Handle("/items/{id}", named("item"))
	mux.Handle("/items/{id}/{$}", named("item"))
	mux.Handle("/", named("root"))
	return mux
}

func chiRouter() http.Handler {
	r := chi.NewRouter()
	routes(r)
	return r
}

// chiGroup has the gate behind chi's choice of a route.
func chiGroup(gate *countersign.Gate) http.Handler {
	r := chi.NewRouter()
	r.Group(func(r chi.Router) {
		r.Use(gate.Middleware)
		routes(r)
	})
	return r
}

func routes(r chi.Router) {
	r.Handle("/a@b:c", named("public"))
	r.Handle("/a@b:c/*", named("public"))
	for _, name := range []string{"public", "read", "admin"} {
		r.Handle("/"+name, named(name))
		r.Handle("/"+name+"/*", named(name))
	}
	r.Handle("/items/{id}", named("item"))
	r.Handle("/items/{id}/", named("item"))
	r.Handle("/*", named("root"))
}

// files are served from a folder that has the same names.
func files(t *testing.T) http.Handler {
	folder := t.TempDir()
	for path, name := range map[string]string{
		"index.html": "root", "secret": "root", "public/a": "public", "read/a": "read", "admin/a": "admin", "items/1": "item",
	} {
		file := filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("<"+name+">"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := http.FileServer(http.Dir(folder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := httptest.NewRecorder()
		server.ServeHTTP(served, r)
		if _, rest, ok := strings.Cut(served.Body.String(), "<"); ok && served.Code == http.StatusOK && !strings.HasPrefix(rest, "!") && !strings.HasPrefix(rest, "pre") {
			name, _, _ := strings.Cut(rest, ">")
			w.Header().Set("Handler", name)
		}
		w.WriteHeader(served.Code)
	})
}

func proxied(t *testing.T) http.Handler {
	backend := httptest.NewServer(mux())
	t.Cleanup(backend.Close)
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}
