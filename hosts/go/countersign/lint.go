package countersign

import "encoding/hex"

// Lint lists every problem of a policy (JSON): the errors, for which [New]
// refuses it, and the warnings, of what it accepts but probably does not mean.
// Of the options only those count that say how to compile the module.
func Lint(policy []byte, options ...Option) (problems []Problem, err error) {
	err = newSettings(options).withGuest(func(g *guest) error {
		lower := g.lower()
		at, size := lower.bytes(policy)
		if lower.err != nil {
			return trapOf(lower.err)
		}
		return g.call("lint", func(l *lifter, at uint32) { problems = l.problems(at) }, at, size)
	})
	return problems, err
}

// PolicyDigest returns the SHA-256 of a policy (JSON) in its canonical form, in
// lower-case hexadecimal. Two policies that differ only in spaces and in the
// order of members have the same. If the policy cannot be read, the error is a
// [PolicyError]. Of the options only those count that say how to compile the
// module.
func PolicyDigest(policy []byte, options ...Option) (digest string, err error) {
	err = newSettings(options).withGuest(func(g *guest) (err error) {
		digest, err = g.policyDigest(policy)
		return err
	})
	return digest, err
}

func (g *guest) policyDigest(policy []byte) (digest string, err error) {
	lower := g.lower()
	at, size := lower.bytes(policy)
	if lower.err != nil {
		return "", trapOf(lower.err)
	}
	var refused error
	err = g.call("policy-digest", func(l *lifter, at uint32) {
		if l.bool(at) {
			refused = &PolicyError{l.problems(at + 4)}
			return
		}
		sum := l.hash(at + 4)
		digest = hex.EncodeToString(sum[:])
	}, at, size)
	if err == nil {
		err = refused
	}
	return digest, err
}

// withGuest calls a function with a new instance of the module, without a gate.
func (s *settings) withGuest(do func(*guest) error) error {
	engine, err := s.engine()
	if err != nil {
		return err
	}
	guest, err := engine.instantiate()
	if err != nil {
		return err
	}
	defer guest.close()
	return do(guest)
}
