package countersign

import (
	"context"
	"net/http"
	"sync"
)

// Observe puts the gate beside the checks that a service has today, for a
// migration. It PROTECTS NOTHING: every request passes to the handler exactly as
// it came. No header is removed or set, no credential is stripped, no proof is
// used up, and the context has no grant. The gate decides, and its events say
// [ModeObserved].
//
// No request waits for the documents or the response that a decision needs: it
// passes at once, and the decision and its event follow when they have come.
func (g *Gate) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.settings.bypassCORSPreflight && isCORSPreflight(r) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := r.Context()
		if decision, ok := g.CheckObserved(ctx, r); ok {
			ctx = NewObservedContext(ctx, decision)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// CheckObserved is [Gate.Check] for a transport that enforces nothing: the event
// says [ModeObserved], no proof is used up, and it does not wait for documents or
// responses. If the decision needs them, it is made later, in the background, and
// CheckObserved returns false.
func (g *Gate) CheckObserved(ctx context.Context, r *http.Request) (decision Decision, ok bool) {
	// The handler may change the request, and ends its context.
	r = r.Clone(context.WithoutCancel(ctx))
	decided, waiting := make(chan Decision, 1), make(chan struct{})
	waits := sync.OnceFunc(func() { close(waiting) })
	go func() {
		// The error is that of the decision.
		decision, _ := g.check(r.Context(), r, ModeObserved, waits)
		decided <- decision
	}()
	select {
	case decision = <-decided:
		return decision, true
	case <-waiting:
		return Decision{}, false
	}
}

type observedKey struct{}

// NewObservedContext returns a context with a decision that is not enforced. It is
// for transports other than net/http.
func NewObservedContext(ctx context.Context, decision Decision) context.Context {
	return context.WithValue(ctx, observedKey{}, decision)
}

// ObservedFrom returns what [Gate.Observe] would have decided. The request may be
// one that the policy denies: never take it for a grant. It returns false if the
// decision was not made at once.
func ObservedFrom(ctx context.Context) (Decision, bool) {
	decision, ok := ctx.Value(observedKey{}).(Decision)
	return decision, ok
}
