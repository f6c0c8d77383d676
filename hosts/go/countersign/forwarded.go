package countersign

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// Apply returns a copy of a request's header with the changes of the grant: it
// removes the grant's fields, also under a name that some readers treat as the
// same (`X_Auth_Subject`), and then sets them. It is for other transports;
// [Gate.Middleware] calls it.
func (d Decision) Apply(header http.Header) http.Header {
	grant := d.Grant
	if grant == nil {
		return http.Header{}
	}
	header = grant.without(header)
	for _, field := range grant.SetHeaders {
		header.Set(field.Name, field.Value)
	}
	for _, change := range d.Changes {
		if change.Target != "" {
			continue
		}
		for name := range header {
			if strings.EqualFold(name, change.Name) {
				delete(header, name)
			}
		}
		if !change.IsRemoval {
			header.Set(change.Name, change.Value)
		}
	}
	return header
}

// Target returns the target that the grant sets, in origin form, or an empty
// string if it sets none. [Gate.Middleware] uses it.
func (d Decision) Target() (target string) {
	for _, change := range d.Changes {
		if change.Target != "" {
			target = change.Target
		}
	}
	return target
}

// without returns a copy without the fields that the grant removes.
func (g *Grant) without(header http.Header) http.Header {
	header = header.Clone()
	if header == nil {
		return http.Header{}
	}
	for _, name := range g.RemoveHeaders {
		removeField(header, name)
	}
	return header
}

func removeField(header http.Header, name string) {
	for sent := range header {
		if isSameField(sent, name) {
			delete(header, sent)
		}
	}
}

// forwarded returns the request for the handlers behind the gate.
func (d Decision) forwarded(r *http.Request) (*http.Request, error) {
	next := r.WithContext(NewContext(r.Context(), d.Grant))
	next.Header = d.Apply(r.Header)
	next.Trailer = nil
	if len(r.Trailer) > 0 {
		next.Trailer = d.Grant.without(r.Trailer)
		if r.Body != nil {
			next.Body = &trailerBody{r.Body, r, next, d.Grant}
		}
	}
	next.Host = normalizedHost(next.Host)
	if target := d.Target(); target != "" {
		if err := setTarget(next, target); err != nil {
			return nil, err
		}
	}
	next.URL = normalizedURL(next.URL)
	return next, nil
}

// setTarget sets the target in all places from which handlers read it. A form
// that is parsed already loses what the query no longer has.
func setTarget(r *http.Request, target string) error {
	set, err := url.ParseRequestURI(target)
	if err != nil {
		return err
	}
	before := r.URL.Query()
	clone := *r.URL
	clone.Path, clone.RawPath, clone.RawQuery, clone.ForceQuery = set.Path, set.RawPath, set.RawQuery, set.ForceQuery
	r.URL, r.RequestURI = &clone, target
	if r.Form != nil {
		r.Form = maps.Clone(r.Form)
		for name := range before {
			if after := set.Query(); !after.Has(name) {
				r.Form.Del(name)
			}
		}
	}
	return nil
}

// normalizedURL returns a URL that every router reads as the gate did. Some
// routers match RawPath (chi, echo), so it is removed, except where it contains
// `%2f`, which is not the same as `/`. The host is normalized too.
func normalizedURL(u *url.URL) *url.URL {
	host, raw := normalizedHost(u.Host), u.RawPath
	if !strings.Contains(strings.ToLower(raw), "%2f") {
		raw = ""
	}
	if host == u.Host && raw == u.RawPath {
		return u
	}
	clone := *u
	clone.Host, clone.RawPath = host, raw
	return &clone
}

// A trailerBody is a request's body. At its end, when the server has written the
// trailers into the original request, it copies them to the new request.
type trailerBody struct {
	io.ReadCloser
	from, to *http.Request
	grant    *Grant
}

func (t *trailerBody) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		for name, values := range t.grant.without(t.from.Trailer) {
			t.to.Trailer[name] = values
		}
	}
	return n, err
}

// normalizedHost returns a host as the gate compares it: in lower case and
// without a trailing dot. [http.ServeMux] compares byte by byte and could
// otherwise choose another handler than the gate's rule is for.
func normalizedHost(host string) string {
	name, port := host, ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		name, port = host[:colon], host[colon:]
	}
	return strings.ToLower(strings.TrimSuffix(name, ".")) + port
}

// isCORSPreflight reports whether a request is a CORS-preflight request (Fetch
// §3.2.2).
func isCORSPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0
}

// The fields that a browser sends with a preflight. Other fields are removed:
// the gate has not checked the request, so they could claim an identity.
var preflightFields = []string{
	"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network",
	"Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Referer",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Cache-Control", "Pragma",
}

// preflight returns a preflight for the handlers behind the gate: anonymous.
func preflight(r *http.Request) *http.Request {
	next := r.WithContext(NewContext(r.Context(), &Grant{}))
	next.Header, next.Trailer, next.Body = http.Header{}, nil, http.NoBody
	for _, name := range preflightFields {
		if values, ok := r.Header[name]; ok {
			next.Header[name] = values
		}
	}
	return next
}
