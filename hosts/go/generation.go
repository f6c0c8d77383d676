package countersign

import (
	"context"
	"errors"
	"net/textproto"
	"sync"
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
	reads   []headerName
	flights flights
	// Held while an instance judges what is then written for all of them.
	writing    sync.Mutex
	waiting    chan struct{}
	background chan struct{}
	// Something was supplied: what is due may have changed.
	supplied chan struct{}
}

// A header's name, as the gate and as net/http write it.
type headerName struct{ lower, canonical string }

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
		waiting:    make(chan struct{}, s.maxWaiting),
		background: make(chan struct{}, backgroundFetches),
		supplied:   make(chan struct{}, 1),
	}
	err = pool.call(ctx, func(r *reader) error {
		names, err := r.instance.Reads()
		for _, name := range names {
			g.reads = append(g.reads, headerName{name, textproto.CanonicalMIMEHeaderKey(name)})
		}
		return err
	})
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// close ends its work and frees its instances.
func (g *generation) close() {
	g.tasks.stop()
	g.pool.retire()
}

// decide asks until there is a decision, fetching what it waits for. An error
// is the caller's context's, or errRetired.
func (g *generation) decide(ctx context.Context, ask func(r *reader, nowMS uint64) (Answer, error)) (Decision, error) {
	patience, stop := ctx, context.CancelFunc(nil)
	denial := internalError()
	for range rounds {
		nowMS := g.settings.nowMS()
		var answer Answer
		var read uint64
		err := g.pool.call(ctx, func(r *reader) (err error) {
			answer, err = ask(r, nowMS)
			read = r.read
			return err
		})
		switch {
		case errors.Is(err, errRetired):
			return Decision{}, err
		case ctx.Err() != nil:
			return Decision{}, ctx.Err()
		case err != nil:
			return Decision{Denial: internalError()}, nil
		}
		if answer.Grant != nil || answer.Denial != nil {
			return answer.Decision, nil
		}
		denial = waitedTooLong(answer.Wait)
		if stop == nil {
			select {
			case g.waiting <- struct{}{}:
				defer func() { <-g.waiting }()
			default:
				return Decision{Denial: denial}, nil
			}
			patience, stop = context.WithTimeout(ctx, g.settings.wait)
			defer stop()
		}
		var under []flight
		for _, fetch := range answer.Wait {
			under = append(under, g.fly(fetch, read, func() {}))
		}
		if !landed(patience, under) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	return Decision{Denial: denial}, nil
}

// fly fetches a document, or joins those who do. `read` is what the instance
// had read when it asked: what has ended since then needs no fetch. `done` is
// called when a fetch that this started has ended, or none was.
func (g *generation) fly(fetch Fetch, read uint64, done func()) flight {
	started := false
	flight := g.flights.join(fetch.Source,
		func() bool { return g.pool.journal.isNewer(fetch.Source, read) },
		func(land func()) bool {
			started = g.tasks.start(func(ctx context.Context) {
				defer done()
				defer land()
				response := g.settings.fetch(ctx, fetch)
				g.supply(fetch, response, g.settings.nowMS())
			})
			return started
		})
	if !started {
		done()
	}
	return flight
}

// supply has one instance judge how a fetch ended; the others read it from
// the journal before they do anything else.
func (g *generation) supply(fetch Fetch, response *Response, atMS uint64) {
	g.writing.Lock()
	defer g.writing.Unlock()
	var accepted bool
	var problems []Problem
	err := g.pool.call(g.tasks.ctx, func(r *reader) (err error) {
		accepted, problems, err = r.supply(&g.pool.journal, fetch, response, atMS)
		return err
	})
	switch {
	case err != nil:
		g.pool.journal.failed(fetch, atMS)
	case accepted:
		for _, problem := range problems {
			g.settings.logDocument(fetch, "a part is not used: "+problem.String())
		}
	case response != nil && response.Status == 200:
		for _, problem := range problems {
			g.settings.logDocument(fetch, problem.String())
		}
	}
	select {
	case g.supplied <- struct{}{}:
	default:
	}
}

// startDue starts to fetch what is due, if anything. What `old` has from the
// same address is taken over instead, as old as it is.
func (g *generation) startDue(ctx context.Context, old *generation) (any bool, err error) {
	var due []Fetch
	var read uint64
	err = g.pool.call(ctx, func(r *reader) (err error) {
		due, err = r.instance.Due(g.settings.nowMS())
		read = r.read
		return err
	})
	if err != nil {
		return false, err
	}
	for _, fetch := range due {
		// Once: this policy may refuse what the old one accepted.
		if old != nil && !g.pool.journal.isNewer(fetch.Source, 0) {
			if known := old.pool.journal.acceptedFrom(fetch.Kind, fetch.URI); known != nil {
				g.supply(fetch, known.response, known.atMS)
				continue
			}
		}
		select {
		case g.background <- struct{}{}:
			g.fly(fetch, read, func() { <-g.background })
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
		under := g.flights.all()
		if !any && len(under) == 0 || !landed(patience, under) {
			break
		}
	}
	return ctx.Err()
}

// prepare parses a requirement for all instances: its place among them.
func (g *generation) prepare(ctx context.Context, text string) (place int, err error) {
	g.writing.Lock()
	defer g.writing.Unlock()
	err = g.pool.call(ctx, func(r *reader) (err error) {
		place, err = r.prepare(&g.pool.journal, text)
		return err
	})
	return place, err
}

// landed waits for flights, and reports whether all landed in time.
func landed(ctx context.Context, flights []flight) bool {
	for _, flight := range flights {
		if flight == nil {
			continue
		}
		select {
		case <-flight:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
