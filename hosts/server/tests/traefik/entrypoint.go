package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/traefik/traefik/v3/pkg/middlewares/forwardedheaders"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
)

// entryPoint is what stands before the routers of Traefik 3.7.13, with its default
// configuration and `aliasHeadersStrategy: delete`. Of it, only the treatment of
// `X-Forwarded-*`, of `Connection` and of the host can be imported; the rest is written here
// after its documentation, in its order.
func entryPoint(routes http.Handler) (http.Handler, error) {
	decorated, err := requestdecorator.WrapHandler(requestdecorator.New(nil))(routes)
	if err != nil {
		return nil, err
	}
	handler, err := forwardedheaders.NewXForwarded(false, nil, nil, false, decorated)
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
		normalizePath(r.URL)
		// `sanitizePath`, which is on: without dot segments and double slashes.
		r.URL = r.URL.JoinPath()
		r.RequestURI = r.URL.RequestURI()
		http.AllowQuerySemicolons(handler).ServeHTTP(w, r)
	}), nil
}

// normalizePath makes plain what need not be escaped (RFC 3986 §2.3), and writes the other
// escapes in upper case.
func normalizePath(u *url.URL) {
	if u.RawPath == "" {
		return
	}
	u.RawPath = escape.ReplaceAllStringFunc(u.RawPath, func(escaped string) string {
		plain, err := url.PathUnescape(escaped)
		if err == nil && unreserved.MatchString(plain) {
			return plain
		}
		return strings.ToUpper(escaped)
	})
}

var (
	escape     = regexp.MustCompile("%[0-9A-Fa-f]{2}")
	unreserved = regexp.MustCompile("^[0-9A-Za-z._~-]$")
)

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
