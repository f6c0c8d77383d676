package countersign

import (
	"context"
	"fmt"
	"net/http"
)

// WithShadow sets a candidate: a second policy (JSON), which is asked about each
// request of [Gate.Check] too. Its answer changes nothing. Each comparison with the
// decision in force is an event with [ModeShadow] and is counted in
// [Status].Shadow.
//
// The candidate has instances and documents of its own. It never waits, sends no
// token anywhere and uses up no proof: of these it learns what the policy in
// force learnt for the same request, or the two are not compared.
func WithShadow(policy []byte) Option {
	return func(s *settings) { s.shadow = policy }
}

// ReloadShadow replaces the candidate of [WithShadow], or removes it if the policy
// is nil. The counts begin anew, as they do with [Gate.Reload]. If the policy is
// refused, the error is a [PolicyError] and the old candidate stays.
func (g *Gate) ReloadShadow(ctx context.Context, policy []byte) error {
	return g.exclusively(ctx, func(ctx context.Context) error {
		if g.inForce.Load() == nil {
			return errClosed
		}
		return g.setShadow(ctx, policy)
	})
}

// setShadow is ReloadShadow under the lock.
func (g *Gate) setShadow(ctx context.Context, policy []byte) error {
	var next *shadow
	if policy != nil {
		candidate, err := openGeneration(ctx, g.settings, string(policy), ModeShadow)
		if err != nil {
			return fmt.Errorf("countersign: the candidate: %w", err)
		}
		next = &shadow{candidate: candidate}
		candidate.start()
	}
	if old := g.shadow.Swap(next); old != nil {
		old.candidate.close()
	}
	return nil
}

// A shadow is a candidate and how its decisions compare.
type shadow struct {
	candidate *generation
	counts    comparisonCounts
}

// ask asks the candidate about a request, and tells how its decision compares.
func (s *shadow) ask(ctx context.Context, r *http.Request, inForce *outcome) {
	if inForce.result() == "" {
		return
	}
	made := outcome{by: s.candidate}
	s.candidate.decideNow(r, inForce.got, &made)
	comparison := compare(inForce, &made)
	event := made.event(ModeShadow)
	event.Comparison = comparison
	s.counts.add(comparisonKey{comparison, inForce.facts.Rule.Label(), event.Code})
	s.candidate.settings.tellEvent(ctx, event)
}

// decideNow decides with what is at hand. Without a free instance, or if the
// decision waits for something that is not in `got`, it is the denial of a caller
// who does not wait (503). It starts to fetch documents, and waits for none.
func (g *generation) decideNow(request *http.Request, got []learnt, made *outcome) {
	made.Denial = internalError()
	defer func() {
		if recover() != nil {
			made.Decision = Decision{Denial: internalError()}
		}
	}()
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return
	}
	free := g.pool.takeFree()
	if free == nil {
		return
	}
	// The pool logs a trap.
	_ = g.pool.use(free, func(r *reader) error {
		if g.settings.inline {
			due, err := r.instance.Due(nowMS)
			if err != nil {
				return err
			}
			g.startFetches(due, r)
		}
		decision, err := g.checkNow(r, requestOf(request, g.reads), nowMS, got)
		if err == nil {
			made.facts, err = r.instance.LastEvent(g.subjectKey, true)
		}
		if err == nil {
			made.Decision = decision
		}
		return err
	})
}

func (g *generation) checkNow(r *reader, request Request, nowMS uint64, got []learnt) (Decision, error) {
	late := internalError()
	for range rounds {
		answer, err := r.instance.Check(request, nowMS)
		if err != nil || answer.Grant != nil || answer.Denial != nil || answer.Answered != nil {
			return answer.Decision, err
		}
		late = waitedTooLong(answer)
		g.startFetches(answer.Wait, r)
		if answer.Wait != nil {
			break
		}
		if isKnown, err := r.instance.giveKnown(answer, got, nowMS); err != nil || !isKnown {
			return Decision{Denial: late}, err
		}
	}
	return Decision{Denial: late}, nil
}

// giveKnown gives the module what is known of the requests and proofs that an
// answer asks for. It reports whether that is all of them.
func (i *Instance) giveKnown(answer Answer, got []learnt, nowMS uint64) (bool, error) {
	isAll := answer.Requests != nil || answer.Proofs != nil
	for _, request := range answer.Requests {
		known := learntOf(got, func(l learnt) bool { return l.request != nil && l.request.isSame(request) })
		if known == nil {
			isAll = false
			continue
		}
		if _, err := i.Respond(request.Ticket, known.response, nowMS); err != nil {
			return false, err
		}
	}
	for _, question := range answer.Proofs {
		known := learntOf(got, func(l learnt) bool { return l.proof != nil && l.proof.ID == question.ID })
		if known == nil {
			isAll = false
			continue
		}
		if err := i.Verified(question.Ticket, known.isFirst, known.unknown); err != nil {
			return false, err
		}
	}
	return isAll, nil
}
