package countersign

import (
	"context"
	"slices"
	"time"
)

// A documentWait is one decision's wait for documents, responses and proofs. It
// counts as waiting for each issuer in `held`, until its context ends.
type documentWait struct {
	g    *generation
	ctx  context.Context
	stop context.CancelFunc
	held []string
	// [purpose].waits
	waits func()
	// How long it has waited, so far.
	waited time.Duration
}

// begin counts the request as waiting for these issuers. It returns false if
// too many requests wait for one of them.
func (w *documentWait) begin(ctx context.Context, issuers []string) bool {
	if w.stop == nil {
		w.ctx, w.stop = context.WithTimeout(ctx, w.g.settings.wait)
	}
	for _, issuer := range issuers {
		if slices.Contains(w.held, issuer) {
			continue
		}
		if !w.g.waitLimits.acquire(issuer) {
			return false
		}
		w.held = append(w.held, issuer)
	}
	return true
}

// await waits for these, and reports whether all ended in time.
func (w *documentWait) await(inFlight []pendingFetch) bool {
	if w.waits != nil {
		w.waits()
	}
	began := time.Now()
	isInTime := awaitAll(w.ctx, inFlight)
	w.waited += time.Since(began)
	return isInTime
}

func (w *documentWait) end() {
	if w.stop != nil {
		w.stop()
	}
	for _, issuer := range w.held {
		w.g.waitLimits.release(issuer)
	}
}

// awaitAll waits for fetches, and reports whether all ended before the context.
func awaitAll(ctx context.Context, fetches []pendingFetch) bool {
	for _, fetch := range fetches {
		select {
		case <-fetch.done:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
