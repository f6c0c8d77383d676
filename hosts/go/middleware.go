package countersign

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Middleware puts the gate in front of a handler.
//
// A denial is answered with its status, WWW-Authenticate, Retry-After and a
// body `{"code": …, "message": …}`. A granted request goes on with the grant's
// headers removed and set, and the [Grant] in its context: see [FromContext].
//
// The gate sees the target as this handler does: put it outermost, before
// anything that strips a prefix.
func (g *Gate) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision, err := g.Check(r.Context(), r)
		if err != nil || decision.Grant == nil {
			denial := denialOf(err)
			g.settings.logger.LogAttrs(r.Context(), slog.LevelDebug, "countersign: denied", slog.Any("denial", denial))
			deny(w, denial)
			return
		}
		passed := r.WithContext(newContext(r.Context(), &admission{decision.Grant, g, r}))
		passed.Header = decision.Grant.Apply(r.Header)
		next.ServeHTTP(w, passed)
	})
}

// An admission is what a request has been granted, and by whom.
type admission struct {
	grant *Grant
	gate  *Gate
	// As it came: credentials and all.
	request *http.Request
}

type contextKey struct{}

func newContext(ctx context.Context, admission *admission) context.Context {
	return context.WithValue(ctx, contextKey{}, admission)
}

// NewContext carries a grant: for transports other than net/http, and for
// tests of handlers.
func NewContext(ctx context.Context, grant *Grant) context.Context {
	return newContext(ctx, &admission{grant: grant})
}

// FromContext gives the grant of a request that passed a gate.
func FromContext(ctx context.Context) (*Grant, bool) {
	admission, ok := ctx.Value(contextKey{}).(*admission)
	if !ok {
		return nil, false
	}
	return admission.grant, admission.grant != nil
}

// deny answers a denied request.
func deny(w http.ResponseWriter, denial *Denial) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if denial.Challenge != "" {
		header.Set("WWW-Authenticate", denial.Challenge)
	}
	if denial.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(denial.RetryAfter.Seconds())))
	}
	w.WriteHeader(denial.Status)
	// A client that is gone needs no answer.
	_ = json.NewEncoder(w).Encode(map[string]string{"code": denial.Code, "message": denial.Message})
}

// Apply removes headers first, then sets others, in a copy. [Gate.Middleware]
// does it; it is for other transports.
func (g *Grant) Apply(header http.Header) http.Header {
	if len(g.RemoveHeaders)+len(g.RemoveCookies)+len(g.SetHeaders) == 0 {
		return header
	}
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for _, name := range g.RemoveHeaders {
		header.Del(name)
	}
	if len(g.RemoveCookies) > 0 {
		removeCookies(header, g.RemoveCookies)
	}
	for _, field := range g.SetHeaders {
		header.Set(field.Name, field.Value)
	}
	return header
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
