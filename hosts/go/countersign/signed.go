package countersign

import "time"

// A SignedPolicy is a policy whose signature held.
type SignedPolicy struct {
	// Policy is the text that was signed: JSON, or another format.
	Policy  []byte
	Version uint64
	// Expires is when it may no longer be put in force.
	Expires time.Time
	// KID is the key that has signed it.
	KID string
}

// OpenSigned verifies a signed policy by the keys and names of a trust (JSON), at a
// time in milliseconds since 1970. The module does it, before anything of the
// policy is parsed. A policy that is refused is a [PolicyError] with one problem.
// Of the options only those count that say how to compile the module. A gate takes
// signed policies by [NewFrom].
func OpenSigned(signed, trust []byte, nowMS uint64, options ...Option) (SignedPolicy, error) {
	return newSettings(options).openSigned(signed, trust, nowMS)
}

func (s *settings) openSigned(signed, trust []byte, nowMS uint64) (opened SignedPolicy, err error) {
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

func (l *lifter) signedPolicy(at uint32) (opened SignedPolicy, refused error) {
	if l.bool(at) {
		return SignedPolicy{}, &PolicyError{[]Problem{l.problem(at + 8)}}
	}
	return SignedPolicy{
		Policy:  []byte(l.text(at + 8)),
		Version: l.u64(at + 16),
		Expires: l.time(at + 24),
		KID:     l.text(at + 32),
	}, nil
}
