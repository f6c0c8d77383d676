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
// What the gate answers itself it sends as it is ([Answered]). It answers a
// denied request with the denial's status, WWW-Authenticate, DPoP-Nonce,
// Retry-After and a body `{"code": …, "message": …}`. For an allowed request it
// removes and sets the grant's headers (it also removes trailers), writes the
// host in lower case, puts the [Grant] into the context ([FromContext]), and
// calls the handler.
//
// The gate decides by the target as the handlers behind it see it, or refuses
// the request. Behind [http.StripPrefix], rules match the path without the
// prefix. If a handler behind the gate changes the target (StripPrefix, a
// rewrite), later handlers serve another target than the gate has checked: put
// the gate behind it.
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
		forwarded, err := decision.forwarded(r)
		if err != nil {
			deny(w, internalError())
			return
		}
		next.ServeHTTP(w, forwarded)
	})
}

type contextKey struct{}

// NewContext returns a context with a grant. It is for transports other than
// net/http, with the grant of [Gate.Check] or [Gate.Verify], and for tests of
// handlers, with a grant that the test creates.
func NewContext(ctx context.Context, grant *Grant) context.Context {
	return context.WithValue(ctx, contextKey{}, grant)
}

// FromContext returns the grant of a request that a gate has allowed. The
// grant's principal is nil if the request is anonymous.
func FromContext(ctx context.Context) (*Grant, bool) {
	grant, _ := ctx.Value(contextKey{}).(*Grant)
	return grant, grant != nil
}

// PrincipalFrom returns the caller. It returns false if the request is
// anonymous, as under a public rule, or has not passed a gate.
func PrincipalFrom(ctx context.Context) (*Principal, bool) {
	if grant, ok := FromContext(ctx); ok && grant.Principal != nil {
		return grant.Principal, true
	}
	return nil, false
}

// NamedPrincipalFrom returns a principal beside the user, such as a workload, by
// its name in the policy. It returns false if the rule does not ask for it.
func NamedPrincipalFrom(ctx context.Context, name string) (*Principal, bool) {
	grant, ok := FromContext(ctx)
	if !ok {
		return nil, false
	}
	principal, ok := grant.Principals[name]
	return principal, ok
}

// refuse answers a request for which a check returned an error.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var denial *Denial
	if answered := (*Answered)(nil); errors.As(err, &answered) {
		answered.ServeHTTP(w, r)
		return
	}
	if r.Context().Err() != nil && !errors.As(err, &denial) {
		// Usually the client has disconnected. If instead a handler has set a
		// timeout for the request, the client needs a response.
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
	if denial.Nonce != "" {
		header.Set("DPoP-Nonce", denial.Nonce)
	}
	w.WriteHeader(denial.Status)
	// An error means that the client has disconnected.
	_ = json.NewEncoder(w).Encode(map[string]string{"code": denial.Code, "message": denial.Message})
}
