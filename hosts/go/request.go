package countersign

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// A header's name, as the gate and as net/http write it.
type headerName struct{ lower, canonical string }

func headerNames(lower []string) (names []headerName) {
	for _, name := range lower {
		names = append(names, headerName{name, textproto.CanonicalMIMEHeaderKey(name)})
	}
	return names
}

// requestOf is a request as the gate takes it, with the headers of these
// names and no others: nothing else crosses over.
func requestOf(r *http.Request, reads []headerName) Request {
	request := Request{Method: r.Method, Authority: r.Host, Target: targetOf(r)}
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	if request.Authority == "" {
		request.Authority = r.URL.Host
	}
	for _, name := range reads {
		for _, value := range r.Header[name.canonical] {
			request.Headers = append(request.Headers, Header{name.lower, value})
		}
	}
	return request
}

// targetOf is the target byte by byte as the client sent it, as long as it is
// what the handlers behind will see; else what somebody has made of it before
// ([http.StripPrefix]), which is what they route by.
func targetOf(r *http.Request) string {
	raw := originForm(r.RequestURI)
	path, _, _ := strings.Cut(raw, "?")
	// Without a path the target is an authority (RFC 9112 §3.2.3), which the
	// gate is to refuse.
	if raw != "" && (r.URL.Path == "" || decoded(path) == r.URL.Path) {
		return raw
	}
	return r.URL.RequestURI()
}

func decoded(path string) string {
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return decoded
}

// originForm leaves scheme and authority out of an absolute target (RFC 9112
// §3.2.2), which is read as a Host is.
func originForm(target string) string {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return target
	}
	path := strings.IndexAny(rest, "/?#")
	if path < 0 {
		return "/"
	}
	if rest[path] != '/' {
		return "/" + rest[path:]
	}
	return rest[path:]
}
