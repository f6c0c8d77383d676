package countersign

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Apply gives a request's header as handlers are to see it, in a copy: fields
// of the grant are removed under every name that a reader takes for the same
// (`X_Auth_Subject`), then set. [Gate.Middleware] does it; it is for other
// transports.
func (d Decision) Apply(header http.Header) http.Header {
	grant := d.Grant
	if grant == nil {
		return http.Header{}
	}
	header = grant.without(header)
	if len(grant.RemoveCookies) > 0 {
		removeCookies(header, grant.RemoveCookies)
	}
	for _, field := range grant.SetHeaders {
		header.Set(field.Name, field.Value)
	}
	return header
}

// without is a copy without the fields that the grant removes.
func (g *Grant) without(header http.Header) http.Header {
	header = header.Clone()
	if header == nil {
		return http.Header{}
	}
	for name := range header {
		isRemoved := func(removed string) bool { return isSameField(name, removed) }
		if slices.ContainsFunc(g.RemoveHeaders, isRemoved) {
			delete(header, name)
		}
	}
	return header
}

// passed is a request as the handlers behind see it.
func (d Decision) passed(r *http.Request) *http.Request {
	passed := r.WithContext(NewContext(r.Context(), d.Grant))
	passed.Header = d.Apply(r.Header)
	passed.Trailer = nil
	if len(r.Trailer) > 0 {
		passed.Trailer = d.Grant.without(r.Trailer)
		if r.Body != nil {
			passed.Body = &trailing{r.Body, r, passed, d.Grant}
		}
	}
	passed.Host = hostOf(passed.Host)
	passed.URL = urlOf(passed.URL)
	return passed
}

// urlOf is a URL whose readings are all what was judged: its host, and its
// path decoded, as some routers match the raw one (chi, echo). Where that
// tells `%2f` from `/` it stays.
func urlOf(u *url.URL) *url.URL {
	host, raw := hostOf(u.Host), u.RawPath
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

// A trailing body hands trailers over as they come, which is when it ends: the
// server writes them into the request that it made.
type trailing struct {
	io.ReadCloser
	from, to *http.Request
	grant    *Grant
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		for name, values := range t.grant.without(t.from.Trailer) {
			t.to.Trailer[name] = values
		}
	}
	return n, err
}

// hostOf writes a host as the gate compares it, in lower case and without the
// dot at its end: [http.ServeMux] compares byte by byte, and would route to
// another handler than was judged.
func hostOf(host string) string {
	name, port := host, ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		name, port = host[:colon], host[colon:]
	}
	return strings.ToLower(strings.TrimSuffix(name, ".")) + port
}

// removeCookies takes cookies out of Cookie (RFC 6265 §4.2.1), whatever the
// others hold.
func removeCookies(header http.Header, names []string) {
	var kept []string
	for _, value := range header.Values("Cookie") {
		for pair := range strings.SplitSeq(value, ";") {
			name, _, _ := strings.Cut(pair, "=")
			if !slices.Contains(names, strings.TrimSpace(name)) {
				kept = append(kept, strings.TrimSpace(pair))
			}
		}
	}
	header.Del("Cookie")
	if len(kept) > 0 {
		header.Set("Cookie", strings.Join(kept, "; "))
	}
}

// A browser asks whether it may send a request to another origin (Fetch
// §3.2.2 "CORS-preflight request").
func isCORSPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0
}

// What a browser sends with a preflight. Nobody has been asked which other
// fields say who is calling, so none goes on.
var ofPreflights = []string{
	"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network",
	"Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Referer",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Cache-Control", "Pragma",
}

// preflight is a preflight as the handlers behind see it: as nobody's.
func preflight(r *http.Request) *http.Request {
	passed := r.WithContext(NewContext(r.Context(), &Grant{}))
	passed.Header, passed.Trailer, passed.Body = http.Header{}, nil, http.NoBody
	for _, name := range ofPreflights {
		if values, ok := r.Header[name]; ok {
			passed.Header[name] = values
		}
	}
	return passed
}
