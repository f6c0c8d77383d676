package countersign

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
)

// startFetch starts to fetch a document, or joins the fetch in progress. `read`
// is the position of the instance when it asked for the fetch: if a fetch has
// ended since then, no fetch is needed. startFetch calls `done` when the fetch
// that it started has ended, or at once if it started none.
func (g *generation) startFetch(fetch Fetch, read uint64, done func()) (pendingFetch, bool) {
	isStarted := false
	started, ok := g.pending.join(destination{fetch.Source, fetch.URI}, fetch.Issuer,
		func() bool { return g.pool.journals.of(fetch.Issuer).isNewer(fetch, read) },
		func(finish func(learnt)) bool {
			isStarted = g.tasks.start(func(ctx context.Context) {
				defer done()
				defer finish(learnt{})
				response, failed := g.settings.fetch(ctx, fetch)
				nowMS, err := g.settings.nowMS()
				if err != nil {
					// The time of the response is not known: the gate fetches
					// it again.
					g.settings.logDocument(fetch, err.Error())
					return
				}
				if supplied, died, ok := g.supply(fetch, response, failed, nowMS); ok {
					g.tellDocument(fetch, supplied, failed, died)
				}
			})
			return isStarted
		})
	if !isStarted {
		done()
	}
	return started, ok
}

// supply passes the result of a fetch to one instance, which accepts or refuses
// it, and then to the others. All read it in slices. Between the slices they
// decide requests with the old document. `failed` says why there is no document.
// It returns what became of the document, with the error of an instance that died
// while it read it, and false if the policy is retired.
func (g *generation) supply(fetch Fetch, response *Response, failed *failure, atMS uint64) (supplied Supplied, died error, ok bool) {
	journal := g.pool.journals.of(fetch.Issuer)
	journal.writing.Lock()
	defer journal.writing.Unlock()
	supplied, isReady, died := g.supplyFirst(journal, &entry{atMS: atMS, fetch: fetch, response: response})
	if g.tasks.ctx.Err() != nil {
		return Supplied{}, nil, false
	}
	if died != nil {
		journal.fail(fetch, atMS)
	}
	switch {
	case supplied.Outcome == Accepted:
		for _, problem := range supplied.Problems {
			g.settings.logDocument(fetch, "a part is not used: "+problem.String())
		}
	case supplied.Outcome == Refused && response != nil && response.Status == http.StatusOK:
		for _, problem := range supplied.Problems {
			g.settings.logDocument(fetch, problem.String())
		}
	}
	g.supplyRest(journal)
	if isReady {
		g.becomeReady()
	}
	select {
	case g.supplied <- struct{}{}:
	default:
	}
	return supplied, died, true
}

// supplyFirst passes an entry to one instance and writes the result to the
// journal.
func (g *generation) supplyFirst(j *journal, e *entry) (supplied Supplied, isReady bool, err error) {
	ctx := g.tasks.ctx
	for ctx.Err() == nil {
		readers := g.pool.readers()
		if len(readers) == 0 {
			pause(ctx, minDelay, nil)
			continue
		}
		supplied, isReady, err := g.supplyTo(readers[rand.N(len(readers))], j, e)
		if !errors.Is(err, errReplaced) {
			return supplied, isReady, err
		}
	}
	return Supplied{}, false, ctx.Err()
}

func (g *generation) supplyTo(r *reader, j *journal, e *entry) (supplied Supplied, isReady bool, err error) {
	delivery, isUpToDate, isDone := delivery{of: e}, false, false
	for !isDone && err == nil {
		err = g.pool.callThis(g.tasks.ctx, r, func(r *reader) (err error) {
			if more := false; !isUpToDate {
				if more, err = r.read(j); more || err != nil {
					return err
				}
				isUpToDate = true
			}
			supplied, err = delivery.slice(r.instance)
			if err != nil || supplied.Outcome == Unfinished {
				return err
			}
			isDone = true
			switch supplied.Outcome {
			case Accepted:
				r.progress(j).read = j.accept(e.fetch, e.response, e.atMS)
				isReady, err = r.instance.Ready()
			case Refused:
				r.progress(j).read = j.fail(e.fetch, e.atMS)
			}
			return err
		})
	}
	return supplied, isReady, err
}

// supplyRest makes every instance read the new entries of a journal.
func (g *generation) supplyRest(j *journal) {
	for _, r := range g.pool.readers() {
		for more := true; more; {
			err := g.pool.callThis(g.tasks.ctx, r, func(r *reader) (err error) {
				more, err = r.read(j)
				return err
			})
			// An instance that dies is replaced by one that has read everything.
			more = more && err == nil
		}
	}
}

// startRequest sends a request of an instance, or joins it in progress. This
// instance gets the response, also if another one asks for the same request.
func (g *generation) startRequest(request Outgoing, r *reader) (pendingFetch, bool) {
	return g.requests.join(ticket{r, request.Ticket}, request.Issuer, never, func(finish func(learnt)) bool {
		return g.tasks.start(func(ctx context.Context) {
			response := g.flights.send(ctx, request, func() *Response { return g.settings.send(ctx, request) })
			defer finish(learnt{request: &request, response: response})
			nowMS, err := g.settings.nowMS()
			if err != nil {
				g.settings.logRequest(request, err.Error())
				return
			}
			// The pool logs a trap. Of an instance that died, the next one asks
			// again.
			_ = g.pool.callThis(ctx, r, func(r *reader) error {
				problem, err := r.instance.Respond(request.Ticket, response, nowMS)
				if problem != nil {
					g.settings.logRequest(request, problem.String())
				}
				return err
			})
		})
	})
}
