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

// More fields than any client sends of those that decisions read. Each costs
// the module room of its own, and a server takes a hundred thousand.
const maxFields = 1000

// requestOf is a request as the gate takes it, with the headers of these
// names and no others: nothing else crosses over. With too many of them it has
// no target, which the gate refuses.
func requestOf(r *http.Request, reads []headerName) Request {
	request := Request{Method: r.Method, Headers: make([]Header, 0, 4)}
	if request.Method == "" {
		request.Method = http.MethodGet
	}
	request.Authority, request.Target = targetOf(r)
	host := r.Host
	if request.Authority == "" && r.ProtoMajor >= 2 {
		// `:authority`, which the server has put there.
		request.Authority, host = host, ""
	}
	if host != "" {
		// The server has taken the field out of the others.
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

// isSameField reports whether a field is this one, whose name is lower case
// with `-`, for a reader of CGI variables (RFC 3875 §4.1.18), to whom letters'
// case, `-` and `_` are the same.
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

// No target: the gate refuses it, as it does everything that does not begin
// with `/`.
const noTarget = ""

// targetOf is what the handlers behind will route by: byte by byte as the
// client sent it, or, where somebody has changed it before ([http.StripPrefix]
// does), as it is now. Where the two readings that handlers may have of it,
// decoded and raw, are not the same path, there is no target. The authority is
// that of an absolute target (RFC 9112 §3.2.2), or empty.
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
		// `*`, an authority (CONNECT), or another scheme than HTTP's.
		return authority, r.RequestURI
	}
	if r.Method == http.MethodConnect && len(r.Header[":protocol"]) == 0 {
		// Its target is an authority (RFC 9110 §9.3.6). With a path, ServeMux
		// compares hosts by another rule than for other methods: with their port.
		return "", noTarget
	}
	path, query, _ := strings.Cut(sent, "?")
	if sent != "" && isPathOf(u, path) && u.RawQuery == query {
		return authority, sent
	}
	return authority, changedTarget(u)
}

// pathAndQuery takes an absolute target apart (RFC 9112 §3.2.2), nothing
// encoded anew; false if it is neither that nor in origin form.
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
		// Of an absolute target without one.
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

// changedTarget is a URL's path and query in origin form. Some routers read
// RawPath (chi), some its escaped form ([http.ServeMux]), some the decoded
// path ([http.FileServer]).
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
