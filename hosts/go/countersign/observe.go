package countersign

import (
	"context"
	"net/http"
)

// Observe puts the gate beside the checks that a service has today, for a
// migration. It PROTECTS NOTHING: every request passes to the handler exactly as
// it came. No header is removed or set, no credential is stripped, and the
// context has no grant. The gate decides, within the time of [WithWait], and its
// events say [ModeObserved].
func (g *Gate) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.settings.bypassCORSPreflight && isCORSPreflight(r) {
			next.ServeHTTP(w, r)
			return
		}
		decision, _ := g.CheckObserved(r.Context(), r)
		next.ServeHTTP(w, r.WithContext(NewObservedContext(r.Context(), decision)))
	})
}

// CheckObserved is [Gate.Check] for a transport that enforces nothing: the event
// says [ModeObserved].
func (g *Gate) CheckObserved(ctx context.Context, r *http.Request) (Decision, error) {
	return g.check(ctx, r, ModeObserved)
}

type observedKey struct{}

// NewObservedContext returns a context with a decision that is not enforced. It is
// for transports other than net/http.
func NewObservedContext(ctx context.Context, decision Decision) context.Context {
	return context.WithValue(ctx, observedKey{}, decision)
}

// ObservedFrom returns what [Gate.Observe] would have decided. The request may be
// one that the policy denies: never take it for a grant.
func ObservedFrom(ctx context.Context) (Decision, bool) {
	decision, ok := ctx.Value(observedKey{}).(Decision)
	return decision, ok
}
