package countersign

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"
)

// A Proof is a proof of possession that may be used once (RFC 9449 §11.1).
type Proof struct {
	// ID identifies the proof: a SHA-256.
	ID [sha256.Size]byte
	// Owner identifies its key. A store can limit the number of proofs of each
	// key, so that one client cannot fill it.
	Owner [sha256.Size]byte
	// Expires is when the proof can be forgotten. The gate refuses it from then
	// on.
	Expires time.Time
}

// A ProofQuestion asks whether a proof is used for the first time.
type ProofQuestion struct {
	// Ticket identifies the question in [Instance.Verified].
	Ticket uint64
	Proof
}

// A ProofStore records used proofs. It is called only for proofs that are valid
// in all other respects. It must be safe for concurrent use.
type ProofStore interface {
	// FirstUse records a proof until it expires, and reports whether it was not
	// recorded before. It must do both in one step, and must not forget the proof
	// earlier: if there is no room, it returns an error. After an error the
	// request is denied with `proofs_unavailable`.
	FirstUse(ctx context.Context, proof Proof) (bool, error)
}

// WithProofStore sets where used proofs are recorded (default: in a table that
// all gates of the process share). Replicas of a service need a store that they
// share: in another replica a proof could otherwise be used again.
//
// The table has 100,000 places. A key may use as many as are free, at least
// 1,000. A proof for which there is no place is refused: see
// `proofs_unavailable`.
func WithProofStore(store ProofStore) Option {
	return func(s *settings) { s.proofStore = store }
}

// How often one check may ask about proofs. A request has few.
const proofRounds = 8

// checkProofs is check, with the answers of the process's table, or of an observed
// request: while a
// decision waits for them, it looks them up and checks again, before any other
// caller can use the instance.
func (g *generation) checkProofs(
	r *reader, nowMS uint64, check func(*reader, uint64) (Answer, error), made *outcome,
) (Answer, error) {
	for range proofRounds {
		answer, err := check(r, nowMS)
		if err != nil || answer.Proofs == nil || g.settings.proofStore != nil && !made.isObserved() {
			return answer, err
		}
		for _, question := range answer.Proofs {
			isFirst, unknown := g.settings.enter(question.Proof, nowMS, made.purpose)
			g.logProof(unknown)
			if made.isCompared {
				made.got = append(made.got, learnt{proof: &question.Proof, isFirst: isFirst, unknown: unknown})
			}
			if err := r.instance.Verified(question.Ticket, isFirst, unknown); err != nil {
				return Answer{}, err
			}
		}
	}
	return Answer{}, &Trap{"the module does not stop asking about proofs"}
}

// enter enters a proof in the process's table. What is only observed has no effect:
// the same request can pass another gate of this process, which enforces.
func (s *settings) enter(proof Proof, nowMS uint64, purpose purpose) (isFirst bool, unknown error) {
	if purpose.isObserved() {
		return true, nil
	}
	return s.proofTable.enter(proof, time.UnixMilli(int64(nowMS)))
}

// startProof asks the program's store about a proof. A request that ends does
// not cancel it, so that each question is asked once and answered.
func (g *generation) startProof(question ProofQuestion, r *reader) (pendingFetch, bool) {
	return g.proofs.join(ticket{r, question.Ticket}, noIssuer, never, func(finish func(learnt)) bool {
		return g.tasks.start(func(ctx context.Context) {
			isFirst, unknown := g.settings.firstUse(ctx, question.Proof)
			defer finish(learnt{proof: &question.Proof, isFirst: isFirst, unknown: unknown})
			if ctx.Err() == nil {
				g.logProof(unknown)
			}
			// The pool logs a trap.
			_ = g.pool.callThis(ctx, r, func(r *reader) error { return r.instance.Verified(question.Ticket, isFirst, unknown) })
		})
	})
}

// firstUse asks the program's store, within the time that a check waits.
func (s *settings) firstUse(ctx context.Context, proof Proof) (isFirst bool, unknown error) {
	defer func() {
		if reason := recover(); reason != nil {
			isFirst, unknown = false, fmt.Errorf("the store panicked: %v", reason)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	return s.proofStore.FirstUse(ctx, proof)
}

// logProof logs why a proof cannot be recorded, once a second.
func (g *generation) logProof(unknown error) {
	if unknown == nil {
		return
	}
	now := time.Now().Unix()
	if before := g.proofLogged.Load(); before != now && g.proofLogged.CompareAndSwap(before, now) {
		g.settings.logger.LogAttrs(context.Background(), slog.LevelWarn, "countersign: a proof cannot be recorded",
			slog.String("reason", unknown.Error()))
	}
}
