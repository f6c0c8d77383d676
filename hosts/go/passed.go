package countersign

import (
	"io"
	"net/http"
	"net/url"
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
	for _, field := range grant.SetHeaders {
		header.Set(field.Name, field.Value)
	}
	for _, change := range d.Changes {
		removeField(header, change.Name)
		if !change.IsRemoval {
			header.Set(change.Name, change.Value)
		}
	}
	return header
}

// without is a copy without the fields that the grant removes.
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
