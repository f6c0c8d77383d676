// Package countersign decides in a Go service who issued a token, for whom,
// with which scopes, and whether a request may pass.
//
// Decisions come from the sealed module, one WebAssembly file with one SHA-256
// ([SHA256]) that decides in every host, run here by wazero without cgo. This
// package moves bytes in, fetches the documents that the gate asks for, and
// turns decisions into HTTP. It verifies nothing itself.
package countersign

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// A Gate decides requests by a policy, in instances of the sealed module, and
// fetches the documents that this takes. Any number of goroutines may use it.
type Gate struct {
	settings *settings
	// Nil when the gate is closed.
	inForce atomic.Pointer[generation]
	// Holds a token while nobody changes what is in force.
	unchanging chan struct{}
	// Ends when the gate closes: a reload under way does not hold that up.
	open  context.Context
	close context.CancelFunc
}

var errClosed = errors.New("countersign: the gate is closed")

// New opens a gate by a policy (JSON) and begins to fetch its documents,
// without waiting for them ([Gate.Warm] does). The first gate of a process
// compiles the module, which takes a while: see [WithCompilationCache].
//
// A policy that is refused is a [PolicyError] with every problem of it. The
// context bounds the opening only.
func New(ctx context.Context, policy []byte, options ...Option) (*Gate, error) {
	settings := newSettings(options)
	opened, err := openGeneration(ctx, settings, string(policy))
	if err != nil {
		return nil, err
	}
	gate := &Gate{settings: settings, unchanging: make(chan struct{}, 1)}
	gate.open, gate.close = context.WithCancel(context.Background())
	gate.unchanging <- struct{}{}
	gate.inForce.Store(opened)
	opened.start()
	return gate, nil
}

// Close ends all fetches, and a reload under way, and frees the instances.
// Every later check is denied with `internal_error`.
func (g *Gate) Close() error {
	g.close()
	<-g.unchanging
	defer func() { g.unchanging <- struct{}{} }()
	if old := g.inForce.Swap(nil); old != nil {
		old.close()
	}
	return nil
}

// Check decides whether a request may pass. It waits, within bounds, for
// documents that the answer takes, and never reads the body.
//
// The error is nil only if it may pass: it is a [Denial], also in the
// decision, or the context's error where the caller did not wait.
func (g *Gate) Check(ctx context.Context, r *http.Request) (Decision, error) {
	return g.decide(ctx, admission{gate: g, request: r}, func(generation *generation) func(*reader, uint64) (Answer, error) {
		request := requestOf(r, generation.reads)
		return func(r *reader, nowMS uint64) (Answer, error) { return r.instance.Check(request, nowMS) }
	})
}

// Require is what a token must have: JSON, what a rule of the policy calls
// `require`, such as `{"scopes": {"all": ["api:read"]}}`. Empty asks nothing
// more than a good token of one of the policy's issuers.
//
// A gate parses a text once and remembers the 1,000 that were used last: make
// them of your own constants rather than of what a caller sent.
type Require string

// Verify is [Gate.Check] without HTTP, for tokens that come another way. A
// requirement that the policy in force refuses is a [PolicyError].
func (g *Gate) Verify(ctx context.Context, token string, require Require) (Decision, error) {
	return g.decide(ctx, admission{gate: g, token: token}, func(*generation) func(*reader, uint64) (Answer, error) {
		return func(r *reader, nowMS uint64) (Answer, error) {
			number, err := r.number(require)
			if err != nil {
				return Answer{}, err
			}
			return r.instance.CheckToken(token, number, nowMS)
		}
	})
}

// decide turns what the policy in force answers into a decision.
func (g *Gate) decide(
	ctx context.Context, by admission, ask func(*generation) func(*reader, uint64) (Answer, error),
) (decision Decision, err error) {
	err = g.ask(ctx, func(current *generation) (err error) {
		decision, err = current.decide(ctx, ask(current))
		return err
	})
	switch {
	case errors.Is(err, errClosed):
		denial := internalError()
		return Decision{Denial: denial}, denial
	case isRefused(err):
		return Decision{Denial: internalError()}, err
	case err != nil:
		return Decision{}, err
	case decision.Denial != nil:
		return decision, decision.Denial
	}
	grant := *decision.Grant
	grant.admission = by
	decision.Grant = &grant
	return decision, nil
}

// Reload puts another policy in force. The old one stays until the new one is
// open and its documents were fetched, or could not be for as long as a check
// would wait; documents from the same addresses are taken over.
//
// A policy that is refused is a [PolicyError]: nothing has changed then.
// Reloads take turns, so that the policy of the last one stays in force.
func (g *Gate) Reload(ctx context.Context, policy []byte) error {
	select {
	case <-g.unchanging:
		defer func() { g.unchanging <- struct{}{} }()
	case <-g.open.Done():
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(g.open, stop)()
	err := g.reload(ctx, policy)
	if g.open.Err() != nil {
		return errClosed
	}
	return err
}

func (g *Gate) reload(ctx context.Context, policy []byte) error {
	old := g.inForce.Load()
	if old == nil {
		return errClosed
	}
	next, err := openGeneration(ctx, g.settings, string(policy))
	if err != nil {
		return err
	}
	// Also what reads a long document for the new policy.
	keep := context.AfterFunc(ctx, next.tasks.cancel)
	err = next.warm(ctx, old)
	if !keep() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		next.close()
		return err
	}
	g.inForce.Store(next)
	next.start()
	old.close()
	return nil
}

// Explain lists every check of a request in order, with its details: for
// people, and only for those who may see claims. It fetches nothing.
func (g *Gate) Explain(ctx context.Context, r *http.Request) (steps []Step, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return nil, err
	}
	err = g.read(ctx, func(current *generation, reader *reader) (err error) {
		steps, err = reader.instance.Explain(requestOf(r, current.reads), nowMS)
		return err
	})
	return steps, err
}

// Inspect decodes a token that nobody has verified. Never decide by it.
func (g *Gate) Inspect(ctx context.Context, token string) (inspection Inspection, err error) {
	err = g.read(ctx, func(_ *generation, reader *reader) (err error) {
		inspection, err = reader.instance.Inspect(token)
		return err
	})
	return inspection, err
}

// Status lists the state of every document, for readiness probes and metrics.
func (g *Gate) Status(ctx context.Context) (documents []DocumentStatus, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return nil, err
	}
	err = g.read(ctx, func(_ *generation, reader *reader) (err error) {
		documents, err = reader.instance.Status(nowMS)
		return err
	})
	return documents, err
}

// Warm fetches every document that is due and waits until it is supplied, or
// as long as a check would. [Gate.Status] says what came of it.
func (g *Gate) Warm(ctx context.Context) error {
	return g.ask(ctx, func(current *generation) error { return current.warm(ctx, nil) })
}

// read asks an instance of the policy in force.
func (g *Gate) read(ctx context.Context, read func(*generation, *reader) error) error {
	return g.ask(ctx, func(current *generation) error {
		return current.pool.call(ctx, func(reader *reader) error { return read(current, reader) })
	})
}

// ask asks the policy in force, and the next one where it is replaced
// meanwhile.
func (g *Gate) ask(ctx context.Context, ask func(*generation) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		current := g.inForce.Load()
		if current == nil {
			return errClosed
		}
		if err := ask(current); !errors.Is(err, errRetired) {
			return err
		}
	}
}
