package countersign

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
)

// Middleware puts the gate in front of a handler.
//
// A denial is answered with its status, WWW-Authenticate, Retry-After and a
// body `{"code": …, "message": …}`. A granted request goes on with the grant's
// headers removed, trailers too, and set, its host in lower case, and the
// [Grant] in its context: see [FromContext].
//
// The gate judges the target as the handlers behind it see it, or refuses it:
// behind [http.StripPrefix] rules name the path without the prefix. What
// changes the target after it has judged (a StripPrefix, a rewrite) makes
// handlers serve another one than was judged: put the gate behind that.
func (g *Gate) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.settings.bypassCORSPreflight && isCORSPreflight(r) {
			next.ServeHTTP(w, preflight(r))
			return
		}
		decision, err := g.Check(r.Context(), r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, decision.passed(r))
	})
}

type contextKey struct{}

// NewContext carries a grant: for transports other than net/http, with what
// [Gate.Check] or [Gate.Verify] has granted, and for tests of handlers, with
// one of your own making.
func NewContext(ctx context.Context, grant *Grant) context.Context {
	return context.WithValue(ctx, contextKey{}, grant)
}

// FromContext gives the grant of a request that passed a gate. Its principal
// is nil where nobody had to say who is calling.
func FromContext(ctx context.Context) (*Grant, bool) {
	grant, _ := ctx.Value(contextKey{}).(*Grant)
	return grant, grant != nil
}

// PrincipalFrom gives who is calling; false where nobody had to say so, as
// under a public rule, or where no gate was passed.
func PrincipalFrom(ctx context.Context) (*Principal, bool) {
	if grant, ok := FromContext(ctx); ok && grant.Principal != nil {
		return grant.Principal, true
	}
	return nil, false
}

// refuse answers a request that may not pass.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var denial *Denial
	if r.Context().Err() != nil && !errors.As(err, &denial) {
		// Most often the client is gone. One that is there, as somebody has
		// ended the request's time, has to hear that it did not pass.
		g.settings.logger.LogAttrs(r.Context(), slog.LevelDebug, "countersign: cancelled", slog.Any("reason", err))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	denial = denialOf(err)
	g.settings.logger.LogAttrs(r.Context(), slog.LevelDebug, "countersign: denied", slog.Any("denial", denial))
	deny(w, denial)
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
