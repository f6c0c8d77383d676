package countersign

import (
	"context"
	"errors"
	"slices"
)

const (
	// Discovery, the keys that it names, and one more try.
	rounds = 4
	// Fetches under way that no request waits for.
	backgroundFetches = 32
)

// A generation is one policy in force: its instances, and the documents that
// they ask for.
type generation struct {
	settings *settings
	pool     *pool
	tasks    *tasks
	// The headers that decisions read.
	reads      []headerName
	flights    flights
	rooms      rooms
	background chan struct{}
	// Something was supplied: what is due may have changed.
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
		rooms:      rooms{places: s.maxWaiting},
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

// start begins to fetch documents, and keeps them fresh unless requests do.
func (g *generation) start() {
	if g.settings.inline {
		// A trap is logged where it happens.
		g.tasks.start(func(ctx context.Context) { _, _ = g.startDue(ctx, nil) })
		return
	}
	g.tasks.start(g.keepFresh)
}

// close ends its work and frees its instances.
func (g *generation) close() {
	g.tasks.stop()
	g.pool.retire()
}

// decide asks until there is a decision, fetching what it waits for. An error
// is the caller's context's, a refused requirement, or errRetired.
func (g *generation) decide(ctx context.Context, ask func(r *reader, nowMS uint64) (Answer, error)) (Decision, error) {
	patience := patience{g: g}
	defer patience.end()
	var waits []Fetch
	isRefreshed := !g.settings.inline
	for left := rounds; left > 0; left-- {
		answer, under, err := g.ask(ctx, ask)
		switch {
		case errors.Is(err, errRetired) || isRefused(err):
			return Decision{}, err
		case ctx.Err() != nil:
			return Decision{}, ctx.Err()
		case err != nil:
			return Decision{Denial: internalError()}, nil
		case answer.Denial != nil:
			return answer.Decision, nil
		}
		issuers := issuersOf(answer.Wait)
		if answer.Grant != nil {
			if isRefreshed || answer.Grant.Principal == nil {
				return answer.Decision, nil
			}
			// Once: what cannot be fetched now is decided by what is there.
			isRefreshed = true
			issuers = []string{answer.Grant.Principal.Issuer}
			under = g.flights.of(func(issuer string) bool { return issuer == issuers[0] })
			if len(under) == 0 || !patience.begin(ctx, issuers) {
				return answer.Decision, nil
			}
			landed(patience.ctx, under)
			left++
			continue
		}
		waits = answer.Wait
		// The fetch has begun, whether or not there is room to wait for it.
		if !patience.begin(ctx, issuers) {
			break
		}
		if !landed(patience.ctx, under) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	return Decision{Denial: waitedTooLong(waits)}, nil
}

// ask asks a free instance once, and starts the fetches that it answers.
func (g *generation) ask(
	ctx context.Context, ask func(r *reader, nowMS uint64) (Answer, error),
) (answer Answer, under []flight, err error) {
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
			// Before anybody else asks this instance, which will not say it again.
			g.flyAll(due, r)
		}
		if answer, err = ask(r, nowMS); err == nil && answer.Wait != nil {
			under = g.flyAll(answer.Wait, r)
		}
		return err
	})
	return answer, under, err
}

func (g *generation) flyAll(fetches []Fetch, r *reader) (under []flight) {
	for _, fetch := range fetches {
		if flight, ok := g.fly(fetch, r.progress(g.pool.journals.of(fetch.Issuer)).read, func() {}); ok {
			under = append(under, flight)
		}
	}
	return under
}

func issuersOf(fetches []Fetch) (issuers []string) {
	for _, fetch := range fetches {
		if !slices.Contains(issuers, fetch.Issuer) {
			issuers = append(issuers, fetch.Issuer)
		}
	}
	return issuers
}

// patience is a request's wait for documents: its places in the rooms of
// their issuers, and the moment when it waits no more.
type patience struct {
	g    *generation
	ctx  context.Context
	stop context.CancelFunc
	held []string
}

// begin takes what places it has not; false if there is none.
func (p *patience) begin(ctx context.Context, issuers []string) bool {
	if p.stop == nil {
		p.ctx, p.stop = context.WithTimeout(ctx, p.g.settings.wait)
	}
	for _, issuer := range issuers {
		if slices.Contains(p.held, issuer) {
			continue
		}
		if !p.g.rooms.enter(issuer) {
			return false
		}
		p.held = append(p.held, issuer)
	}
	return true
}

func (p *patience) end() {
	if p.stop != nil {
		p.stop()
	}
	for _, issuer := range p.held {
		p.g.rooms.leave(issuer)
	}
}

// startDue starts to fetch what is due, if anything. What `old` has from the
// same address is taken over instead, as old as it is.
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
		// Once: this policy may refuse what the old one accepted.
		if old != nil && !g.pool.journals.of(fetch.Issuer).isNewer(fetch, 0) {
			if known := old.pool.journals.acceptedFrom(fetch.Kind, fetch.URI); known != nil {
				g.supply(fetch, known.response, known.atMS)
				continue
			}
		}
		select {
		case g.background <- struct{}{}:
			g.fly(fetch, read[fetch.Issuer], func() { <-g.background })
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	return len(due) > 0, nil
}

// warm fetches everything that is due, or takes it over from `old`, and waits
// until it is supplied.
func (g *generation) warm(ctx context.Context, old *generation) error {
	patience, stop := context.WithTimeout(ctx, g.settings.wait)
	defer stop()
	for range rounds {
		any, err := g.startDue(patience, old)
		if patience.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		under := g.flights.of(func(string) bool { return true })
		if !any && len(under) == 0 || !landed(patience, under) {
			break
		}
	}
	return ctx.Err()
}

// landed waits for flights, and reports whether all landed in time.
func landed(ctx context.Context, flights []flight) bool {
	for _, flight := range flights {
		select {
		case <-flight.landed:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
