package countersign

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// A headerName is a header's name as the gate and as net/http write it.
type headerName struct{ lower, canonical string }

func headerNames(lower []string) (names []headerName) {
	for _, name := range lower {
		names = append(names, headerName{name, textproto.CanonicalMIMEHeaderKey(name)})
	}
	return names
}

// The limit for the fields that decisions read; no client sends so many. Each
// field uses memory of the module, and net/http accepts a hundred thousand.
const maxFields = 1000

// requestOf returns a request for the module, with only the headers of these
// names. If there are too many of them, it has no target, and the gate refuses
// it.
func requestOf(r *http.Request, reads []headerName) Request {
	request := Request{Method: r.Method, Headers: make([]Header, 0, 4), Connection: connectionOf(r)}
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	request.Authority, request.Target = targetOf(r)
	host := r.Host
	if request.Authority == "" && r.ProtoMajor >= 2 {
		// In HTTP/2, net/http puts `:authority` into Host.
		request.Authority, host = host, ""
	}
	if host != "" {
		// net/http has removed the field from Header.
		request.Headers = append(request.Headers, Header{"host", host})
	}
	for name, values := range r.Header {
		for _, read := range reads {
			if !isSameField(name, read.lower) {
				continue
			}
			if strings.EqualFold(name, read.lower) {
				name = read.lower
			} else {
				name = strings.ToLower(name)
			}
			if len(request.Headers)+len(values) > maxFields {
				request.Target, request.Headers = noTarget, nil
				return request
			}
			for _, value := range values {
				request.Headers = append(request.Headers, Header{name, value})
			}
			break
		}
	}
	return request
}

// isSameField reports whether a program that reads CGI variables (RFC 3875
// §4.1.18) takes a field for the one with this lower-case name. To it, upper
// and lower case are the same, and so are `-` and `_`.
func isSameField(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		char := name[i]
		switch {
		case char >= 'A' && char <= 'Z':
			char += 'a' - 'A'
		case char == '_':
			char = '-'
		}
		if char != lower[i] && (lower[i] != '_' || char != '-') {
			return false
		}
	}
	return true
}

// The gate refuses an empty target, as it does every target that does not begin
// with `/`.
const noTarget = ""

// targetOf returns the target by which the handlers behind the gate route:
// exactly as the client sent it, or, if a handler in front of the gate has
// changed it ([http.StripPrefix] does), as it is now. If its decoded and its raw
// form are not the same path, it returns noTarget. The authority is that of an
// absolute target (RFC 9112 §3.2.2), or empty.
func targetOf(r *http.Request) (authority, target string) {
	u := r.URL
	if u == nil || u.Opaque != "" {
		return "", noTarget
	}
	authority = u.Host
	if u.User != nil {
		authority = u.User.String() + "@" + u.Host
	}
	sent, ok := pathAndQuery(r.RequestURI)
	if !ok {
		// `*`, an authority (CONNECT), or a scheme other than HTTP's.
		return authority, r.RequestURI
	}
	if r.Method == http.MethodConnect && len(r.Header[":protocol"]) == 0 {
		// The target of CONNECT is an authority (RFC 9110 §9.3.6). If it has a
		// path, ServeMux compares the host with its port, unlike for other
		// methods.
		return "", noTarget
	}
	path, query, _ := strings.Cut(sent, "?")
	if sent != "" && isPathOf(u, path) && u.RawQuery == query {
		return authority, sent
	}
	return authority, changedTarget(u)
}

// pathAndQuery returns the path and query of an absolute target (RFC 9112
// §3.2.2) or of one in origin form, without encoding it again. It returns false
// for any other target.
func pathAndQuery(target string) (string, bool) {
	if target == "" || target[0] == '/' {
		return target, true
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", false
	}
	path := strings.IndexAny(rest, "/?#")
	switch {
	case path < 0:
		return "/", true
	case rest[path] != '/':
		return "/" + rest[path:], true
	}
	return rest[path:], true
}

// isPathOf reports whether a URL still has the path that the client sent.
func isPathOf(u *url.URL, sent string) bool {
	if u.Path == "" && u.RawPath == "" {
		// An absolute target without a path.
		return sent == "/" && u.Host != ""
	}
	decoded, err := url.PathUnescape(sent)
	if err != nil || decoded != u.Path {
		return false
	}
	if u.RawPath != "" {
		return u.RawPath == sent
	}
	return sent == u.Path || sent == u.EscapedPath()
}

// changedTarget returns a URL's path and query in origin form, or noTarget if
// routers read the URL differently: some read RawPath (chi), some EscapedPath
// ([http.ServeMux]), some the decoded Path ([http.FileServer]).
func changedTarget(u *url.URL) string {
	path := u.RawPath
	if path == "" {
		path = u.EscapedPath()
	} else if decoded, err := url.PathUnescape(path); err != nil || decoded != u.Path {
		return noTarget
	}
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" || u.ForceQuery {
		path += "?" + u.RawQuery
	}
	return path
}
