package countersign

import "bytes"

// A verification is what the host found out about a signature or a proof, as in
// wit/countersign.wit.
type verification uint64

const (
	valid verification = iota
	invalid
	failed
)

const (
	// How often a decision may ask about signatures: once for each token of a
	// request, which are few.
	questionRounds = 32
	// The number of prepared keys that an instance keeps.
	keysKept = 1024
)

// A native verifies the signatures about which one instance asks.
type native struct {
	prepare func(algorithm string, key keyMaterial) (signatureKey, error)
	// The prepared keys by their numbers. A number never gets another key.
	keys map[uint32]signatureKey
	// The open questions of the last answer, and what is known about each.
	asked []question
	known []finding
}

type finding struct {
	ticket uint64
	is     verification
}

// verifyKnown verifies the signatures of prepared keys in place. It copies the
// other questions, because the module must hand over their keys first.
func (n *native) verifyKnown() {
	n.known = n.known[:0]
	left := n.asked[:0]
	for _, q := range n.asked {
		if key, ok := n.keys[q.key]; ok {
			n.known = append(n.known, finding{q.ticket, verify(key, q.signed, q.signature)})
			continue
		}
		q.algorithm, q.signed, q.signature = bytes.Clone(q.algorithm), bytes.Clone(q.signed), bytes.Clone(q.signature)
		left = append(left, q)
	}
	n.asked = left
}

// verify is [signatureKey.verify]. Whatever goes wrong is never the fault of
// the signature.
func verify(key signatureKey, signed, signature []byte) (is verification) {
	defer func() {
		if recover() != nil {
			is = failed
		}
	}()
	isValid, err := key.verify(signed, signature)
	switch {
	case err != nil:
		return failed
	case isValid:
		return valid
	}
	return invalid
}

// prepared prepares a key and keeps it. It returns nil if the key cannot be
// used.
func (n *native) prepared(number uint32, algorithm string, material keyMaterial) (key signatureKey) {
	defer func() {
		if recover() != nil {
			key = nil
		}
	}()
	key, err := n.prepare(algorithm, material)
	if err != nil {
		return nil
	}
	if len(n.keys) == keysKept {
		clear(n.keys)
	}
	n.keys[number] = key
	return key
}

// settle makes a decision. While it only waits for signatures, settle verifies
// them and checks again, before any other caller can use the instance.
func (i *Instance) settle(check func() (Answer, error)) (Answer, error) {
	for range questionRounds {
		answer, err := check()
		if err != nil || i.native == nil || len(i.native.asked)+len(i.native.known) == 0 {
			return answer, err
		}
		if err := i.answerQuestions(); err != nil {
			return Answer{}, err
		}
		if answer.Wait != nil || answer.Requests != nil || answer.Proofs != nil {
			return answer, nil
		}
	}
	return Answer{}, &Trap{"the module does not stop asking about signatures"}
}

func (i *Instance) answerQuestions() error {
	n := i.native
	for _, q := range n.asked {
		is := failed
		key, err := i.keyOf(q)
		if err != nil {
			return err
		}
		if key != nil {
			is = verify(key, q.signed, q.signature)
		}
		n.known = append(n.known, finding{q.ticket, is})
	}
	for _, found := range n.known {
		if err := i.guest.call("verified", nil, i.gate, found.ticket, uint64(found.is)); err != nil {
			return err
		}
	}
	return nil
}

// keyOf returns the key of a question, or nil if there is none or if Go's
// cryptography does not take it.
func (i *Instance) keyOf(q question) (signatureKey, error) {
	if key, ok := i.native.keys[q.key]; ok {
		return key, nil
	}
	var material *keyMaterial
	err := i.guest.call("key", func(l *lifter, at uint32) { material = l.optionalKey(at) }, i.gate, uint64(q.key))
	if err != nil || material == nil {
		return nil, err
	}
	return i.native.prepared(q.key, string(q.algorithm), *material), nil
}
