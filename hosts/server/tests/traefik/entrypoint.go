package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/traefik/traefik/v3/pkg/middlewares/forwardedheaders"
)

// entryPoint is what stands before the routers of Traefik 3.7.13, with its default
// configuration and `aliasHeadersStrategy: delete`. Of it, only the treatment of
// `X-Forwarded-*` and of `Connection` can be imported; the rest is written here after
// its documentation, in its order.
func entryPoint(routes http.Handler) (http.Handler, error) {
	handler, err := forwardedheaders.NewXForwarded(false, nil, nil, false, routes)
	if err != nil {
		return nil, err
	}
	isSaid := os.Getenv("CONNECTION_IN_HEADERS") != ""
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isSaid {
			connect(r)
		}
		// A target without a path (`x:y`), and one with a fragment.
		if r.URL.Opaque != "" || strings.Contains(r.URL.RawPath, "#") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for name := range r.Header {
			if strings.ContainsFunc(name, isOfAlias) {
				delete(r.Header, name)
			}
		}
		// `sanitizePath`, which is on: without dot segments and double slashes.
		r.URL = r.URL.JoinPath()
		r.RequestURI = r.URL.RequestURI()
		http.AllowQuerySemicolons(handler).ServeHTTP(w, r)
	}), nil
}

func isOfAlias(c rune) bool {
	isPlain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
	return !isPlain
}

// connect makes the connection of a request one that its headers say. The test vectors
// have connections that no test could open.
func connect(r *http.Request) {
	r.TLS = nil
	if r.Header.Get("X-Test-Scheme") == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	r.RemoteAddr = net.JoinHostPort(r.Header.Get("X-Test-Peer"), "1")
}
