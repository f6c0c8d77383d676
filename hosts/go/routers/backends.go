package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing/fstest"

	"github.com/go-chi/chi/v5"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// backend returns the router of this name, behind the gate.
func backend(name string, gate *countersign.Gate) (http.Handler, error) {
	switch name {
	case "servemux":
		return gate.Middleware(mux()), nil
	case "chi":
		r := chi.NewRouter()
		routes(r)
		return gate.Middleware(r), nil
	case "chi-group":
		// Here chi chooses the route before the gate runs.
		r := chi.NewRouter()
		r.Group(func(r chi.Router) {
			r.Use(gate.Middleware)
			routes(r)
		})
		return r, nil
	case "fileserver":
		return gate.Middleware(files()), nil
	case "reverseproxy":
		handler, err := proxied()
		return gate.Middleware(handler), err
	}
	return nil, fmt.Errorf("no router %q", name)
}

// say answers with the name of a handler, or with `spoofed` if the handler sees
// an identity that the gate has not set.
func say(w http.ResponseWriter, r *http.Request, name string) {
	for field, values := range r.Header {
		isIdentity := strings.EqualFold(strings.ReplaceAll(field, "_", "-"), "x-auth-subject")
		if isIdentity && (len(values) != 1 || values[0] != "ada") {
			name = "spoofed"
		}
	}
	w.Header().Set("X-Handler", name)
	fmt.Fprint(w, "handler=", name)
}

func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { say(w, r, name) }
}

func mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("open.example.com/hosted", named("hosted"))
	for path, name := range map[string]string{"public": "public", "admin": "admin", "a@b:c": "mail"} {
		mux.Handle("/"+path, named(name))
		mux.Handle("/"+path+"/", named(name))
	}
	mux.Handle("/items/{id}", named("item"))
	mux.Handle("/items/{id}/{$}", named("item"))
	mux.Handle("/items/{id}/edit", named("edit"))
	mux.Handle("/Reports/{id}", named("report"))
	mux.Handle("/a%20b", named("space"))
	mux.Handle("/", named("rest"))
	return mux
}

func routes(r chi.Router) {
	r.HandleFunc("/hosted", func(w http.ResponseWriter, r *http.Request) {
		if isOpen(r.Host) {
			say(w, r, "hosted")
		} else {
			say(w, r, "rest")
		}
	})
	for path, name := range map[string]string{"public": "public", "admin": "admin", "a@b:c": "mail"} {
		r.Handle("/"+path, named(name))
		r.Handle("/"+path+"/*", named(name))
	}
	r.Handle("/items/{id}", named("item"))
	r.Handle("/items/{id}/", named("item"))
	r.Handle("/items/{id}/edit", named("edit"))
	r.Handle("/Reports/{id}", named("report"))
	// In a pattern, chi reads the text before a blank as a method.
	r.Handle(`/a{blank:\s}b`, named("space"))
	r.Handle("/*", named("rest"))
}

// isOpen compares the host as the policy's rule does, because chi does not
// route by host.
func isOpen(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "open.example.com")
}

// files serves files whose contents are the names of the handlers.
func files() http.Handler {
	folder := fstest.MapFS{}
	for path, name := range map[string]string{
		"index.html": "rest", "secret": "rest", "reports/1": "rest", "items/1/x": "rest", "hosted": "rest", "public/a": "public", "public/index.html": "public",
		"admin/a": "admin", "admin/index.html": "admin", "items/2": "item", "items/x y": "item", "items/1/edit": "edit", "items/x/edit": "edit",
		"Reports/1": "report", "a b": "space", "a@b:c/d": "mail",
	} {
		folder[path] = &fstest.MapFile{Data: []byte("<" + name + ">")}
	}
	server := http.FileServerFS(folder)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := httptest.NewRecorder()
		server.ServeHTTP(served, r)
		// FileServer answers with a list for a folder without an index page.
		name, isPage := strings.CutSuffix(strings.TrimPrefix(served.Body.String(), "<"), ">")
		if served.Code == http.StatusOK && isPage && r.Method != http.MethodHead {
			say(w, r, name)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
}

// proxied returns a ReverseProxy in front of a ServeMux.
func proxied() (http.Handler, error) {
	target, err := url.Parse(httptest.NewServer(mux()).URL)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}, nil
}
