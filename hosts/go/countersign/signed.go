package countersign

import "time"

// A signedPolicy is a policy whose signature held.
type signedPolicy struct {
	// JSON, or another format that the host converts.
	policy  []byte
	version uint64
	// When it may no longer be put in force.
	expires time.Time
	kid     string
}

// openSigned verifies a signed policy by the keys and names of a trust (JSON).
// The module does it, before anything of the policy is parsed. A policy that is
// refused is a [PolicyError] with one problem.
func (s *settings) openSigned(signed, trust []byte) (opened signedPolicy, err error) {
	nowMS, err := s.nowMS()
	if err != nil {
		return signedPolicy{}, err
	}
	var refused error
	err = s.withGuest(func(g *guest) error {
		lower := g.lower()
		at, size := lower.bytes(signed)
		trustAt, trustSize := lower.bytes(trust)
		if lower.err != nil {
			return trapOf(lower.err)
		}
		return g.call("open-signed", func(l *lifter, at uint32) { opened, refused = l.signedPolicy(at) },
			at, size, trustAt, trustSize, nowMS)
	})
	if err == nil {
		err = refused
	}
	return opened, err
}

func (l *lifter) signedPolicy(at uint32) (opened signedPolicy, refused error) {
	if l.bool(at) {
		return signedPolicy{}, &PolicyError{[]Problem{l.problem(at + 8)}}
	}
	return signedPolicy{
		policy:  []byte(l.text(at + 8)),
		version: l.u64(at + 16),
		expires: l.time(at + 24),
		kid:     l.text(at + 32),
	}, nil
}
