package countersign

import (
	"crypto/sha256"
	"time"
)

// An Answer is a decision, or what it waits for: documents to [Instance.Supply],
// requests to which [Instance.Respond], and proofs to look up for
// [Instance.Verified]. Then check again.
type Answer struct {
	Decision
	Wait     []Fetch
	Requests []Outgoing
	Proofs   []ProofQuestion
}

// An Outgoing is a request that a decision needs an answer to, such as the
// introspection of a token. It is sent without redirects, within Timeout and
// MaxBytes. Its headers and body can contain a token and a secret: never log
// them.
type Outgoing struct {
	// Ticket identifies the request in [Instance.Respond].
	Ticket uint64
	// Issuer is the issuer's name in the policy.
	Issuer string
	Method string
	// URI has the scheme `https`, or `http` if the policy allows it.
	URI string
	// Headers have lower-case names.
	Headers []Header
	Body    []byte
	// Timeout bounds the whole exchange.
	Timeout time.Duration
	// MaxBytes bounds the body of the response.
	MaxBytes uint32
}

// A question is a signature that the module asks this host to verify.
type question struct {
	// Identifies the question, and its key.
	ticket uint64
	key    uint32
	// The rest are parts of the module's memory: they are valid until the next
	// call.
	algorithm, signed, signature []byte
}

// needs lifts the list of what a decision waits for.
func (l *lifter) needs(at uint32, answer *Answer) {
	start, length := l.items(at, needSize)
	for i := range length {
		need := start + i*needSize
		switch l.tag(need, 4) {
		case 0:
			answer.Wait = append(answer.Wait, l.fetch(need+8))
		case 1:
			answer.Requests = append(answer.Requests, l.outgoing(need+8))
		case 2:
			l.asked = append(l.asked, l.question(need+8))
		default:
			answer.Proofs = append(answer.Proofs, l.proof(need+8))
		}
	}
}

func (l *lifter) outgoing(at uint32) Outgoing {
	return Outgoing{
		Ticket:   l.u64(at),
		Issuer:   l.text(at + 8),
		Method:   l.text(at + 16),
		URI:      l.text(at + 24),
		Headers:  listOf(l, at+32, pairSize, (*lifter).header),
		Body:     []byte(l.text(at + 40)),
		Timeout:  time.Duration(l.u32(at+48)) * time.Millisecond,
		MaxBytes: l.u32(at + 52),
	}
}

func (l *lifter) question(at uint32) question {
	return question{
		ticket:    l.u64(at),
		algorithm: l.view(at + 8),
		key:       l.u32(at + 16),
		signed:    l.view(at + 20),
		signature: l.view(at + 28),
	}
}

func (l *lifter) proof(at uint32) ProofQuestion {
	return ProofQuestion{
		Ticket: l.u64(at),
		Proof: Proof{
			ID:      l.hash(at + 8),
			Owner:   l.hash(at + 16),
			Expires: l.time(at + 24),
		},
	}
}

// hash reads a list of 32 bytes.
func (l *lifter) hash(at uint32) (hash [sha256.Size]byte) {
	bytes := l.view(at)
	l.broken = l.broken || len(bytes) != len(hash)
	copy(hash[:], bytes)
	return hash
}

// view returns the bytes of a list, which stay in the module's memory.
func (l *lifter) view(at uint32) []byte { return l.bytes(l.u32(at), l.u32(at+4)) }

// A keyMaterial is a key as the module hands it over: a SubjectPublicKeyInfo in
// DER (RFC 5280 §4.1.2.7), or the secret of an HMAC.
type keyMaterial struct {
	isSecret bool
	bytes    []byte
}

// optionalKey lifts the result of `key`. It returns nil if the module has no
// open question about this key.
func (l *lifter) optionalKey(at uint32) *keyMaterial {
	if !l.bool(at) {
		return nil
	}
	return &keyMaterial{l.tag(at+4, 2) == 1, []byte(l.text(at + 8))}
}

// optionalProblem lifts the result of `respond`.
func (l *lifter) optionalProblem(at uint32) *Problem {
	if !l.bool(at) {
		return nil
	}
	problem := l.problem(at + 4)
	return &problem
}
