package main

import (
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// An open gate has a table of used proofs of its own, so that vectors are
// independent. The host's own table has tests of its own.
type gate struct {
	*countersign.Instance
	policy []byte
	used   map[[32]byte]time.Time
}

// decide checks, and answers the questions about proofs, until there is another
// answer.
func (g *gate) decide(atMS uint64, check func() (countersign.Answer, error)) (reply, error) {
	for {
		answer, err := check()
		if err != nil || answer.Proofs == nil {
			return decisionOf(answer), err
		}
		for _, question := range answer.Proofs {
			if err := g.Verified(question.Ticket, g.isFirstUse(question.Proof, atMS), nil); err != nil {
				return nil, err
			}
		}
	}
}

func (g *gate) isFirstUse(proof countersign.Proof, atMS uint64) bool {
	until, ok := g.used[proof.ID]
	isFirst := !ok || !until.After(time.UnixMilli(int64(atMS)))
	g.used[proof.ID] = proof.Expires
	return isFirst
}
