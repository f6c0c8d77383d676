package countersign

import (
	"context"
	"errors"
	"slices"
)

const (
	// One for discovery, one for the keys that it names, and further tries.
	rounds = 4
	// Concurrent fetches that no request waits for.
	backgroundFetches = 32
)

// A generation is one policy in force: its instances and their documents.
type generation struct {
	settings *settings
	pool     *pool
	tasks    *tasks
	// The names of the headers that decisions read.
	reads      []headerName
	pending    pendingFetches
	waitLimits waitLimits
	background chan struct{}
	// Signals that a document was supplied, so that the next due time may have
	// changed.
	supplied chan struct{}
}

func openGeneration(ctx context.Context, s *settings, policy string) (*generation, error) {
	tasks := newTasks()
	pool, err := openPool(ctx, s, policy, tasks)
	if err != nil {
		tasks.stop()
		return nil, err
	}
	g := &generation{
		settings:   s,
		pool:       pool,
		tasks:      tasks,
		waitLimits: waitLimits{limit: s.maxWaiting},
		background: make(chan struct{}, backgroundFetches),
		supplied:   make(chan struct{}, 1),
	}
	err = pool.call(ctx, func(r *reader) error {
		names, err := r.instance.Reads()
		g.reads = headerNames(names)
		return err
	})
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// start starts to fetch documents. It also refreshes them on timers, unless
// requests do that (WithInlineRefresh).
func (g *generation) start() {
	if g.settings.inline {
		// The pool logs a trap.
		g.tasks.start(func(ctx context.Context) { _, _ = g.startDue(ctx, nil) })
		return
	}
	g.tasks.start(g.keepFresh)
}

// close ends the tasks and frees the instances.
func (g *generation) close() {
	g.tasks.stop()
	g.pool.retire()
}

// decide checks, and fetches the documents that the answer waits for, until
// there is a decision. An error is the context's error, a refused requirement,
// or errRetired.
func (g *generation) decide(ctx context.Context, check func(r *reader, nowMS uint64) (Answer, error)) (Decision, error) {
	wait := documentWait{g: g}
	defer wait.end()
	var waits []Fetch
	isRefreshed := !g.settings.inline
	for left := rounds; left > 0; left-- {
		answer, inFlight, err := g.checkOnce(ctx, check)
		switch {
		case errors.Is(err, errRetired) || isRefused(err):
			return Decision{}, err
		case ctx.Err() != nil:
			return Decision{}, ctx.Err()
		case err != nil:
			return Decision{Denial: internalError()}, nil
		case answer.Denial != nil || answer.Answered != nil:
			return answer.Decision, nil
		}
		issuers := issuersOf(answer.Wait)
		if answer.Grant != nil {
			issuers = answer.Grant.issuers()
			if isRefreshed || len(issuers) == 0 {
				return answer.Decision, nil
			}
			// Only once: if a fetch fails, the documents at hand decide.
			isRefreshed = true
			inFlight = g.pending.list(func(issuer string) bool { return slices.Contains(issuers, issuer) })
			if len(inFlight) == 0 || !wait.begin(ctx, issuers) {
				return answer.Decision, nil
			}
			awaitAll(wait.ctx, inFlight)
			left++
			continue
		}
		waits = answer.Wait
		// The fetch has started even if this request may not wait for it.
		if !wait.begin(ctx, issuers) {
			break
		}
		if !awaitAll(wait.ctx, inFlight) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	return Decision{Denial: waitedTooLong(waits)}, nil
}

// checkOnce calls a free instance once and starts the fetches that it asks for.
func (g *generation) checkOnce(
	ctx context.Context, check func(r *reader, nowMS uint64) (Answer, error),
) (answer Answer, inFlight []pendingFetch, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return Answer{}, nil, err
	}
	err = g.pool.call(ctx, func(r *reader) (err error) {
		if g.settings.inline {
			due, err := r.instance.Due(nowMS)
			if err != nil {
				return err
			}
			// Before another caller gets this instance: `due` lists each fetch
			// once.
			g.startFetches(due, r)
		}
		if answer, err = check(r, nowMS); err == nil && answer.Wait != nil {
			inFlight = g.startFetches(answer.Wait, r)
		}
		return err
	})
	return answer, inFlight, err
}

func (g *generation) startFetches(fetches []Fetch, r *reader) (inFlight []pendingFetch) {
	for _, fetch := range fetches {
		if started, ok := g.startFetch(fetch, r.progress(g.pool.journals.of(fetch.Issuer)).read, func() {}); ok {
			inFlight = append(inFlight, started)
		}
	}
	return inFlight
}

func issuersOf(fetches []Fetch) (issuers []string) {
	for _, fetch := range fetches {
		if !slices.Contains(issuers, fetch.Issuer) {
			issuers = append(issuers, fetch.Issuer)
		}
	}
	return issuers
}

// A documentWait is one request's wait for documents. It counts as waiting for
// each issuer in `held`, until its context ends.
type documentWait struct {
	g    *generation
	ctx  context.Context
	stop context.CancelFunc
	held []string
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

func (w *documentWait) end() {
	if w.stop != nil {
		w.stop()
	}
	for _, issuer := range w.held {
		w.g.waitLimits.release(issuer)
	}
}

// startDue starts to fetch the documents that are due, and reports whether
// there were any. If `old` has a document from the same address, that one is
// reused with its original time.
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
			if known := old.pool.journals.acceptedFrom(fetch.Kind, fetch.URI); known != nil {
				g.supply(fetch, known.response, known.atMS)
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
