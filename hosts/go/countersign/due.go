package countersign

import "context"

// startDue starts to fetch the documents that are due, and reports whether
// there were any. If `old` has a document from the same address, fetched with
// the same headers, that one is reused with its original time.
func (g *generation) startDue(ctx context.Context, old *generation) (any bool, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return false, err
	}
	var due []Fetch
	read := map[string]uint64{}
	err = g.pool.call(ctx, func(r *reader) (err error) {
		due, err = r.instance.Due(nowMS)
		for _, fetch := range due {
			read[fetch.Issuer] = r.progress(g.pool.journals.of(fetch.Issuer)).read
		}
		return err
	})
	if err != nil {
		return false, err
	}
	for _, fetch := range due {
		// Only once: the new policy may refuse a document that the old one
		// accepted.
		if old != nil && !g.pool.journals.of(fetch.Issuer).isNewer(fetch, 0) {
			if known := old.pool.journals.acceptedFrom(fetch); known != nil {
				g.supply(fetch, known.response, nil, known.atMS)
				continue
			}
		}
		select {
		case g.background <- struct{}{}:
			g.startFetch(fetch, read[fetch.Issuer], func() { <-g.background })
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	return len(due) > 0, nil
}

// warm fetches every document that is due, or reuses it from `old`, and waits
// until all are supplied.
func (g *generation) warm(ctx context.Context, old *generation) error {
	waitCtx, stop := context.WithTimeout(ctx, g.settings.wait)
	defer stop()
	for range rounds {
		any, err := g.startDue(waitCtx, old)
		if waitCtx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		inFlight := g.pending.list(func(string) bool { return true })
		if !any && len(inFlight) == 0 || !awaitAll(waitCtx, inFlight) {
			break
		}
	}
	return ctx.Err()
}
