// Package countersign verifies JWTs and decides by a policy whether an HTTP
// request is allowed.
//
// The sealed module makes the decisions: one WebAssembly file with one SHA-256
// ([SHA256]), the same in every host. Here wazero runs it, without cgo. This
// package passes requests to the module, fetches the documents that it needs,
// and turns decisions into HTTP responses. It verifies nothing itself.
package countersign

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
)

// A Gate decides requests by a policy, in instances of the sealed module, and
// fetches the documents that it needs. It is safe for concurrent use.
type Gate struct {
	settings *settings
	verifier Verifier
	// Nil after Close.
	inForce atomic.Pointer[generation]
	// Nil if there is none.
	shadow atomic.Pointer[shadow]
	// Nil if the policy is not a signed one ([NewFrom]).
	source *policySource
	// A lock for Reload and Close that can be waited for with a context. It
	// holds one value while it is free.
	reloadLock chan struct{}
	// Ends when the gate closes, which cancels a reload in progress.
	open  context.Context
	close context.CancelFunc
}

var errClosed = errors.New("countersign: the gate is closed")

// New opens a gate with a policy (JSON) and starts to fetch its documents. It
// does not wait for them: [Gate.Warm] does, and [WithReadyWait]. The first gate of a process
// compiles the module, which is slow: see [WithCompilationCache].
//
// If the policy is refused, the error is a [PolicyError] with every problem.
// The context only bounds New itself.
func New(ctx context.Context, policy []byte, options ...Option) (*Gate, error) {
	return open(ctx, newSettings(options), policy)
}

func open(ctx context.Context, settings *settings, policy []byte) (*Gate, error) {
	opened, err := openGeneration(ctx, settings, string(policy), ModeEnforced)
	if err != nil {
		return nil, err
	}
	gate := &Gate{settings: settings, verifier: opened.pool.provider.Verifier, reloadLock: make(chan struct{}, 1)}
	gate.open, gate.close = context.WithCancel(context.Background())
	gate.reloadLock <- struct{}{}
	gate.inForce.Store(opened)
	if err := gate.setShadow(ctx, settings.shadow); err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	opened.start()
	if err := opened.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	if gate.verifier.Signatures != Module {
		settings.logger.Info("countersign: signatures are verified natively", slog.Any("verifier", gate.verifier))
	}
	return gate, nil
}

// Close cancels all fetches and a reload in progress, and frees the instances.
// Every later check is denied with `internal_error`.
func (g *Gate) Close() error {
	g.close()
	<-g.reloadLock
	defer func() { g.reloadLock <- struct{}{} }()
	if old := g.inForce.Swap(nil); old != nil {
		old.close()
	}
	return g.setShadow(context.Background(), nil)
}

// Check decides whether a request is allowed. If the decision needs documents,
// it waits for them, within bounds ([WithWait]). It never reads the body.
//
// The error is nil only if the request is allowed. Otherwise it is the
// decision's [Denial], or the context's error if the context has ended.
func (g *Gate) Check(ctx context.Context, r *http.Request) (Decision, error) {
	return g.check(ctx, r, ModeEnforced, nil)
}

// check is Check, with the `waits` of [purpose].
func (g *Gate) check(ctx context.Context, r *http.Request, mode Mode, waits func()) (Decision, error) {
	shadow := g.shadow.Load()
	purpose := purpose{isCompared: shadow != nil, waits: waits}
	made, err := g.decide(ctx, admission{gate: g, request: r}, purpose, func(generation *generation) func(*reader, uint64) (Answer, error) {
		request := requestOf(r, generation.reads)
		return func(r *reader, nowMS uint64) (Answer, error) { return r.instance.Check(request, nowMS) }
	})
	g.settings.tell(ctx, mode, &made)
	if shadow != nil {
		shadow.ask(ctx, r, &made)
	}
	return made.Decision, err
}

// Require is a requirement on a token, in JSON: the `require` of a policy's
// rule, such as `{"scopes": {"all": ["api:read"]}}`. The empty text requires
// only a valid token of one of the policy's issuers.
//
// A gate parses each text once and keeps the 1,000 that were used last. Build
// it from constants, not from data that a client sent.
type Require string

// Verify is [Gate.Check] for a token without an HTTP request. If the policy in
// force refuses the requirement, the error is a [PolicyError].
//
// A token that is bound to its sender (RFC 8705, RFC 9449) is denied, because
// there is no request that proves who has sent it. For a further requirement on
// the token of a request that the gate has allowed, use [Grant.Require].
func (g *Gate) Verify(ctx context.Context, token string, require Require) (Decision, error) {
	made, err := g.verify(ctx, token, require, false)
	g.settings.tell(ctx, ModeEnforced, &made)
	return made.Decision, err
}

// verify is Verify without an event. The sender of a `proven` token has been
// proven in a request that this gate has allowed.
func (g *Gate) verify(ctx context.Context, token string, require Require, proven bool) (outcome, error) {
	return g.decide(ctx, admission{gate: g, token: token}, purpose{}, func(*generation) func(*reader, uint64) (Answer, error) {
		return func(r *reader, nowMS uint64) (Answer, error) {
			number, err := r.number(require)
			if err != nil {
				return Answer{}, err
			}
			return r.instance.CheckToken(token, number, proven, nowMS)
		}
	})
}

// decide makes a decision by the policy in force.
func (g *Gate) decide(
	ctx context.Context, by admission, purpose purpose, checkBy func(*generation) func(*reader, uint64) (Answer, error),
) (made outcome, err error) {
	err = g.withCurrent(ctx, func(current *generation) error {
		// What a retired policy has waited counts too.
		made = outcome{by: current, waited: made.waited, purpose: purpose}
		return current.decide(ctx, checkBy(current), &made)
	})
	switch {
	case errors.Is(err, errClosed):
		made = outcome{Decision: Decision{Denial: internalError()}}
		return made, made.Denial
	case isRefused(err):
		made.Decision = Decision{Denial: internalError()}
		return made, err
	case err != nil:
		return outcome{}, err
	case made.Denial != nil:
		return made, made.Denial
	case made.Answered != nil:
		return made, made.Answered
	}
	grant := *made.Grant
	grant.admission = by
	made.Grant = &grant
	return made, nil
}

// Reload puts a new policy in force. The old policy stays in force until the
// new one is open and its documents are fetched, but at most as long as a check
// waits ([WithWait]). Documents from the same addresses are reused.
//
// If the new policy is refused, the error is a [PolicyError] and the old policy
// stays in force. Concurrent reloads run one after the other, so that the
// policy of the last one stays in force.
func (g *Gate) Reload(ctx context.Context, policy []byte) error {
	return g.exclusively(ctx, func(ctx context.Context) error { return g.reload(ctx, policy, nil) })
}

// exclusively calls a function with the lock of reloads. The function's context
// also ends when the gate closes.
func (g *Gate) exclusively(ctx context.Context, do func(context.Context) error) error {
	select {
	case <-g.reloadLock:
		defer func() { g.reloadLock <- struct{}{} }()
	case <-g.open.Done():
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(g.open, stop)()
	err := do(ctx)
	if g.open.Err() != nil {
		return errClosed
	}
	return err
}

// reload is Reload under the lock. It calls `before`, if that is not nil, when
// the new policy is good, before it is in force.
func (g *Gate) reload(ctx context.Context, policy []byte, before func() error) error {
	old := g.inForce.Load()
	if old == nil {
		return errClosed
	}
	next, err := openGeneration(ctx, g.settings, string(policy), ModeEnforced)
	if err != nil {
		return err
	}
	// A cancelled reload also ends the tasks of the new policy, such as the
	// reading of a long document.
	keep := context.AfterFunc(ctx, next.tasks.cancel)
	err = next.warm(ctx, old)
	if !keep() && err == nil {
		err = ctx.Err()
	}
	if err == nil && before != nil {
		err = before()
	}
	if err != nil {
		next.close()
		return err
	}
	g.inForce.Store(next)
	if shadow := g.shadow.Load(); shadow != nil {
		shadow.counts.reset()
	}
	next.start()
	old.close()
	return nil
}

// Explain lists every check of a request in order, with its details, for
// debugging. It shows values of claims: give it only to people who may see
// them. It waits for no document. With [Native] it first checks the request, as
// [Gate.Check] does, because the module cannot verify signatures itself.
func (g *Gate) Explain(ctx context.Context, r *http.Request) (steps []Step, err error) {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return nil, err
	}
	err = g.withReader(ctx, func(current *generation, reader *reader) (err error) {
		request := requestOf(r, current.reads)
		if g.verifier.Signatures != Module {
			answer, err := reader.instance.Check(request, nowMS)
			if err != nil {
				return err
			}
			// An explanation uses no proof.
			answer.Proofs = nil
			current.startNeeds(answer, reader)
		}
		steps, err = reader.instance.Explain(request, nowMS)
		return err
	})
	return steps, err
}

// Inspect decodes a token without verifying it. Never use it to decide.
func (g *Gate) Inspect(ctx context.Context, token string) (inspection Inspection, err error) {
	err = g.withReader(ctx, func(_ *generation, reader *reader) (err error) {
		inspection, err = reader.instance.Inspect(token)
		return err
	})
	return inspection, err
}

// Warm fetches every document that is due. It returns when all are supplied,
// or after the time that a check waits ([WithWait]). [Gate.Status] gives the
// result.
func (g *Gate) Warm(ctx context.Context) error {
	return g.withCurrent(ctx, func(current *generation) error { return current.warm(ctx, nil) })
}

// withReader calls a function with an instance of the policy in force.
func (g *Gate) withReader(ctx context.Context, do func(*generation, *reader) error) error {
	return g.withCurrent(ctx, func(current *generation) error {
		return current.pool.call(ctx, func(reader *reader) error { return do(current, reader) })
	})
}

// withCurrent calls a function with the policy in force, and again with the
// next one if a reload has replaced it in between.
func (g *Gate) withCurrent(ctx context.Context, do func(*generation) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		current := g.inForce.Load()
		if current == nil {
			return errClosed
		}
		if err := do(current); !errors.Is(err, errRetired) {
			return err
		}
	}
}
