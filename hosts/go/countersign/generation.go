package countersign

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// For each principal of a request: introspection, discovery, the keys that it
	// names, and the use of a proof. The time is bounded by WithWait.
	rounds = 16
	// Concurrent fetches that no request waits for.
	backgroundFetches = 32
)

// A generation is one policy in force: its instances and their documents.
type generation struct {
	settings *settings
	pool     *pool
	tasks    *tasks
	mode     Mode
	// [PolicyDigest] of the policy.
	digest     string
	subjectKey []byte
	// The names of the headers that decisions read.
	reads      []headerName
	pending    pending[destination]
	requests   pending[ticket]
	proofs     pending[ticket]
	flights    flights
	waitLimits waitLimits
	background chan struct{}
	// Signals that a document was supplied, so that the next due time may have
	// changed.
	supplied chan struct{}
	// The second in which it was last logged that a proof cannot be recorded.
	proofLogged atomic.Int64
	// Closed when the policy is ready ([Gate.Ready]).
	ready     chan struct{}
	readyOnce sync.Once
}

func openGeneration(ctx context.Context, s *settings, policy string, mode Mode) (*generation, error) {
	subjectKey, err := s.readSubjectKey()
	if err != nil {
		return nil, err
	}
	tasks := newTasks()
	pool, err := openPool(ctx, s, policy, tasks)
	if err != nil {
		tasks.stop()
		return nil, err
	}
	g := &generation{
		settings:   s,
		mode:       mode,
		subjectKey: subjectKey,
		pool:       pool,
		tasks:      tasks,
		waitLimits: waitLimits{limit: s.maxWaiting},
		background: make(chan struct{}, backgroundFetches),
		supplied:   make(chan struct{}, 1),
		ready:      make(chan struct{}),
	}
	err = pool.call(ctx, g.learn)
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// learn asks a new instance about its policy.
func (g *generation) learn(r *reader) error {
	names, err := r.instance.Reads()
	if err != nil {
		return err
	}
	g.reads = headerNames(names)
	if g.digest, err = r.instance.guest.policyDigest([]byte(g.pool.policy)); err != nil {
		return err
	}
	// A policy without documents is ready at once.
	isReady, err := r.instance.Ready()
	if isReady {
		g.becomeReady()
	}
	return err
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

// decide checks, and gets what the answer waits for, until there is a decision.
// An error is the context's error, a refused requirement,
// or errRetired.
func (g *generation) decide(ctx context.Context, check func(r *reader, nowMS uint64) (Answer, error), made *outcome) error {
	wait := documentWait{g: g, waits: made.waits}
	defer func() {
		wait.end()
		made.waited += wait.waited
	}()
	var waits Answer
	// The instance that gets the answers to its requests and proofs.
	var asker *reader
	isRefreshed := !g.settings.inline
	for left := rounds; left > 0; left-- {
		answer, inFlight, err := g.checkOnce(ctx, &asker, check, made)
		switch {
		case errors.Is(err, errRetired) || isRefused(err):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			made.Denial = internalError()
			return nil
		case answer.Denial != nil || answer.Answered != nil:
			made.Decision = answer.Decision
			return nil
		}
		issuers := issuersOf(answer)
		if answer.Grant != nil {
			issuers = answer.Grant.issuers()
			if isRefreshed || len(issuers) == 0 {
				made.Decision = answer.Decision
				return nil
			}
			// Only once: if a fetch fails, the documents at hand decide.
			isRefreshed = true
			inFlight = g.pending.list(func(issuer string) bool { return slices.Contains(issuers, issuer) })
			if len(inFlight) == 0 || !wait.begin(ctx, issuers) {
				made.Decision = answer.Decision
				return nil
			}
			wait.await(inFlight)
			left++
			continue
		}
		waits = answer
		// The fetch has started even if this request may not wait for it.
		if !wait.begin(ctx, issuers) {
			break
		}
		if !wait.await(inFlight) {
			break
		}
		if made.isCompared {
			made.got = append(made.got, gotBy(inFlight)...)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	made.Denial = waitedTooLong(waits)
	return nil
}

// checkOnce calls the asker, or a free instance, once and starts what it asks
// for. An instance that asks for requests or proofs becomes the asker.
func (g *generation) checkOnce(
	ctx context.Context, asker **reader, check func(r *reader, nowMS uint64) (Answer, error), made *outcome,
) (answer Answer, inFlight []pendingFetch, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return Answer{}, nil, err
	}
	err = g.pool.callFirst(ctx, *asker, func(r *reader) (err error) {
		if g.settings.inline {
			due, err := r.instance.Due(nowMS)
			if err != nil {
				return err
			}
			// Before another caller gets this instance: `due` lists each fetch
			// once.
			g.startFetches(due, r)
		}
		if answer, err = g.checkProofs(r, nowMS, check, made); err == nil {
			err = g.noteFacts(r, made)
			inFlight = g.startNeeds(answer, r)
		}
		if answer.Requests != nil || answer.Proofs != nil {
			*asker = r
		}
		return err
	})
	return answer, inFlight, err
}

// noteFacts asks the instance about its last decision, if somebody wants to know.
func (g *generation) noteFacts(r *reader, made *outcome) (err error) {
	if made.isCompared || len(g.settings.hooks.decision) > 0 {
		made.facts, err = r.instance.LastEvent(g.subjectKey, made.isCompared)
	}
	return err
}

// startNeeds starts what an answer of this instance waits for.
func (g *generation) startNeeds(answer Answer, r *reader) (inFlight []pendingFetch) {
	inFlight = g.startFetches(answer.Wait, r)
	for _, request := range answer.Requests {
		if started, ok := g.startRequest(request, r); ok {
			inFlight = append(inFlight, started)
		}
	}
	for _, question := range answer.Proofs {
		if started, ok := g.startProof(question, r); ok {
			inFlight = append(inFlight, started)
		}
	}
	return inFlight
}

func (g *generation) startFetches(fetches []Fetch, r *reader) (inFlight []pendingFetch) {
	for _, fetch := range fetches {
		if started, ok := g.startFetch(fetch, r.progress(g.pool.journals.of(fetch.Issuer)).read, func() {}); ok {
			inFlight = append(inFlight, started)
		}
	}
	return inFlight
}

func issuersOf(answer Answer) (issuers []string) {
	for _, fetch := range answer.Wait {
		issuers = append(issuers, fetch.Issuer)
	}
	for _, request := range answer.Requests {
		issuers = append(issuers, request.Issuer)
	}
	if answer.Proofs != nil {
		issuers = append(issuers, noIssuer)
	}
	return issuers
}

// noIssuer is for the limit of the checks that wait for the store of proofs. No
// issuer has this name.
const noIssuer = ""
