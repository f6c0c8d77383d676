package countersign

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"
)

// An Instance gives the module's functions for one open gate. It has no
// fetches, no clock and no pool, and it is not safe for concurrent use. Every
// time is an argument, in milliseconds since 1970.
//
// It is for runners of test vectors, for benchmarks, and for hosts that cannot
// use a [Gate]. An error of its methods is a [PolicyError] or a [Trap]. After a
// trap the instance is dead, and every further call fails.
type Instance struct {
	guest  *guest
	gate   uint64
	grants grants
	// The principals beside the user. They are kept apart: a token that is both
	// has one number, but only the user's grant has its headers.
	others grants
	// Nil if the module verifies all signatures.
	native *native
}

// A Request is the input of the module. Its fields are raw bytes and need not
// be valid.
type Request struct {
	Method string
	// Authority is `:authority`, or the authority of an absolute target. If it
	// is empty, the field `host` is used.
	Authority string
	// Target is in origin form, query included (RFC 9112 §3.2.1).
	Target string
	// Headers are the fields in order. A repeated field is repeated here, and
	// `:protocol` is one of them.
	Headers []Header
	// Connection is what is known about the connection.
	Connection Connection
}

// A Header is one field: the name in lower case, the value as raw bytes.
type Header struct {
	Name, Value string
}

// OpenInstance opens a policy in a new instance. It uses only four options:
// [WithSecrets], [WithSignatures], [WithInterpreter] and
// [WithCompilationCache].
func OpenInstance(ctx context.Context, policy []byte, options ...Option) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	settings := newSettings(options)
	provider, err := settings.provider()
	if err != nil {
		return nil, err
	}
	engine, err := settings.engine()
	if err != nil {
		return nil, err
	}
	secrets, err := settings.readSecrets()
	if err != nil {
		return nil, err
	}
	return openIn(engine, string(policy), provider, secrets)
}

// openIn opens a policy. The secrets are names with their values.
func openIn(engine *engine, policy string, by *provider, secrets []Header) (*Instance, error) {
	guest, err := engine.instantiate()
	if err != nil {
		return nil, err
	}
	i := &Instance{guest: guest}
	if by.prepare != nil {
		i.native = &native{prepare: by.prepare, keys: map[uint32]signatureKey{}}
	}
	lower := guest.lower()
	at, size := lower.text(policy)
	// The host's cryptography: whether there is any, and its fields.
	var native [4]uint64
	if by.prepare != nil {
		native[0], native[1] = 1, truth(by.FIPS)
		native[2], native[3] = lower.texts(by.algorithms)
	}
	known, count := lower.headers(secrets)
	i.gate, err = i.number("open", lower.err, at, size, seed(), native[0], native[1], native[2], native[3], known, count)
	if err != nil {
		guest.close()
		return nil, err
	}
	return i, nil
}

// seed returns a random seed for the table of remembered tokens, so that a
// client cannot choose tokens that collide in it.
func seed() uint64 {
	var bytes [8]byte
	// Read never returns an error; it ends the program instead.
	_, _ = rand.Read(bytes[:])
	return binary.LittleEndian.Uint64(bytes[:])
}

// call is [guest.call], or a Trap if the arguments could not be lowered.
func (i *Instance) call(name string, lowered error, lift func(*lifter, uint32), params ...uint64) error {
	if lowered != nil {
		return trapOf(lowered)
	}
	return i.guest.call(name, lift, params...)
}

func (i *Instance) number(name string, lowered error, params ...uint64) (uint64, error) {
	var number uint32
	var refused error
	err := i.call(name, lowered, func(l *lifter, at uint32) { number, refused = l.numberOrProblems(at) }, params...)
	if err != nil {
		return 0, err
	}
	return uint64(number), refused
}

// Close frees the instance.
func (i *Instance) Close() { i.guest.close() }

// Reads returns the names, in lower case, of the headers that decisions read. A
// [Request] needs no others.
func (i *Instance) Reads() (names []string, err error) {
	err = i.guest.call("reads", func(l *lifter, at uint32) { names = l.texts(at) }, i.gate)
	return names, err
}

// Due lists the documents to fetch now. It marks their fetches as started.
func (i *Instance) Due(nowMS uint64) (fetches []Fetch, err error) {
	err = i.guest.call("due", func(l *lifter, at uint32) { fetches = l.fetches(at) }, i.gate, nowMS)
	return fetches, err
}

// NextDue returns the time until [Instance.Due] lists a document: 0 means now.
// It returns false if no document will become due.
func (i *Instance) NextDue(nowMS uint64) (left time.Duration, ok bool, err error) {
	var leftMS uint64
	err = i.guest.call("next-due", func(l *lifter, at uint32) { leftMS, ok = l.optionalU64(at) }, i.gate, nowMS)
	return milliseconds(leftMS), ok, err
}

// Supply gives the result of a fetch from this address to the module. The
// response is nil if the fetch failed. Of a large body it passes the first part
// ([Response.Part]).
func (i *Instance) Supply(source uint32, uri string, response *Response, nowMS uint64) (supplied Supplied, err error) {
	lower := i.guest.lower()
	at, size := lower.text(uri)
	args := append([]uint64{i.gate, uint64(source), at, size}, lower.outcome(response, response.Part(0))...)
	err = i.call("supply", lower.err, func(l *lifter, at uint32) { supplied = l.supplied(at) }, append(args, nowMS)...)
	return supplied, err
}

// Respond gives the response to an [Outgoing] to the module, or nil if there is
// none. It returns why the response cannot be used, or nil.
func (i *Instance) Respond(ticket uint64, response *Response, nowMS uint64) (problem *Problem, err error) {
	lower := i.guest.lower()
	var body []byte
	if response != nil {
		body = response.Body
	}
	args := append([]uint64{i.gate, ticket}, lower.outcome(response, body)...)
	err = i.call("respond", lower.err, func(l *lifter, at uint32) { problem = l.optionalProblem(at) }, append(args, nowMS)...)
	return problem, err
}

// Resume continues with a document for which [Instance.Supply] or Resume
// returned [Unfinished]. The part is the next one of the body, or nil after the
// last.
func (i *Instance) Resume(source uint32, part []byte, nowMS uint64) (supplied Supplied, err error) {
	lower := i.guest.lower()
	at, size := lower.bytes(part)
	err = i.call("resume", lower.err, func(l *lifter, at uint32) { supplied = l.supplied(at) },
		i.gate, uint64(source), at, size, nowMS)
	return supplied, err
}

// Verified takes whether a proof is used for the first time: the results of
// [ProofStore.FirstUse]. Only the first report about a ticket counts.
func (i *Instance) Verified(ticket uint64, isFirst bool, unknown error) error {
	is := invalid
	switch {
	case unknown != nil:
		is = failed
	case isFirst:
		is = valid
	}
	return i.guest.call("verified", nil, i.gate, ticket, uint64(is))
}

// Status lists the state of every document.
func (i *Instance) Status(nowMS uint64) (documents []DocumentStatus, err error) {
	err = i.guest.call("status", func(l *lifter, at uint32) { documents = l.statuses(at) }, i.gate, nowMS)
	return documents, err
}

// Ready reports whether every document was accepted once that the policy does
// not allow to be missing at the start. It stays true.
func (i *Instance) Ready() (ready bool, err error) {
	// The result is a number, not a place in the memory.
	err = i.guest.call("ready", func(_ *lifter, is uint32) { ready = is == 1 }, i.gate)
	return ready, err
}

// LastEvent returns facts about the last decision. Call it directly after the
// decision. Without a key there is no SubjectRef. The effects are needed only to
// compare two decisions.
func (i *Instance) LastEvent(subjectKey []byte, withEffects bool) (facts Facts, err error) {
	lower := i.guest.lower()
	at, size := lower.bytes(subjectKey)
	err = i.call("last-event", lower.err, func(l *lifter, at uint32) { facts = l.facts(at) },
		i.gate, at, size, truth(withEffects))
	return facts, err
}

// Check decides whether a request is allowed.
func (i *Instance) Check(request Request, nowMS uint64) (Answer, error) {
	return i.settle(func() (Answer, error) {
		args, err := i.lower(request, nowMS)
		return i.decide("check", err, args[:]...)
	})
}

// Prepare parses a requirement (JSON: the `require` of a rule) once, for
// [Instance.CheckToken]. If it is refused, the error is a [PolicyError].
func (i *Instance) Prepare(requirement string) (number uint32, err error) {
	lower := i.guest.lower()
	at, size := lower.text(requirement)
	prepared, err := i.number("prepare", lower.err, i.gate, at, size)
	return uint32(prepared), err
}

// CheckToken is [Instance.Check] for a token without an HTTP request.
// Requirement 0 requires only a valid token of one of the issuers. A token that
// is bound to its sender is denied, unless it is `proven`: a decision of this
// process has allowed a request with it, and this is a further check of that
// request.
func (i *Instance) CheckToken(token string, requirement uint32, proven bool, nowMS uint64) (Answer, error) {
	return i.settle(func() (Answer, error) {
		lower := i.guest.lower()
		at, size := lower.text(token)
		return i.decide("check-token", lower.err, i.gate, at, size, uint64(requirement), truth(proven), nowMS)
	})
}

func (i *Instance) decide(name string, lowered error, params ...uint64) (answer Answer, err error) {
	var allow *allowed
	err = i.call(name, lowered, func(l *lifter, at uint32) { answer, allow = i.lift(l, at) }, params...)
	if err == nil && allow != nil {
		answer.Grant, err = i.grant(allow)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// lift lifts a decision, and verifies the signatures for which it waits while
// they are in the module's memory.
func (i *Instance) lift(l *lifter, at uint32) (answer Answer, allow *allowed) {
	if i.native == nil {
		answer, allow = l.decision(at)
		l.broken = l.broken || l.asked != nil
		return answer, allow
	}
	l.asked = i.native.asked[:0]
	answer, allow = l.decision(at)
	if i.native.asked = l.asked; !l.broken {
		i.native.verifyKnown()
	}
	return answer, allow
}

// grant returns the grant of the last answer.
func (i *Instance) grant(allow *allowed) (*Grant, error) {
	cached, err := i.granted(&i.grants, allow.number)
	if err != nil || len(allow.others) == 0 {
		return cached, err
	}
	// The other principals are those of this request only.
	grant := *cached
	grant.Principals = make(map[string]*Principal, len(allow.others))
	for _, other := range allow.others {
		granted, err := i.granted(&i.others, other.number)
		if err != nil {
			return nil, err
		}
		if granted.Principal == nil {
			return nil, &Trap{"the module has no principal for its number"}
		}
		grant.Principals[other.name] = granted.Principal
	}
	return &grant, nil
}

// granted returns the grant with a number of the last answer.
func (i *Instance) granted(cache *grants, number uint64) (*Grant, error) {
	if grant := cache.find(number); grant != nil {
		return grant, nil
	}
	var grant *Grant
	err := i.guest.call("granted", func(l *lifter, at uint32) { grant = l.optionalGrant(at) }, i.gate, number)
	if err != nil {
		return nil, err
	}
	if grant == nil {
		return nil, &Trap{"the module has no grant for its number"}
	}
	cache.keep(number, grant)
	return grant, nil
}

// Explain lists every check of a decision in order, with its details. It does
// not change the instance: with [Native] it only knows the signatures of
// remembered tokens, so check the request first.
func (i *Instance) Explain(request Request, nowMS uint64) (steps []Step, err error) {
	args, lowered := i.lower(request, nowMS)
	err = i.call("explain", lowered, func(l *lifter, at uint32) { steps = l.steps(at) }, args[:]...)
	return steps, err
}

// Inspect decodes a token without verifying it. Never use it to decide.
func (i *Instance) Inspect(token string) (inspection Inspection, err error) {
	lower := i.guest.lower()
	at, size := lower.text(token)
	err = i.call("inspect", lower.err, func(l *lifter, at uint32) { inspection = l.inspection(at) }, at, size)
	return inspection, err
}

func (i *Instance) lower(request Request, nowMS uint64) (args [16]uint64, err error) {
	lower := i.guest.lower()
	args[0] = i.gate
	args[1], args[2] = lower.text(request.Method)
	args[3], args[4] = lower.text(request.Authority)
	args[5], args[6] = lower.text(request.Target)
	args[7], args[8] = lower.headers(request.Headers)
	connection := &request.Connection
	args[9], args[10] = lower.text(connection.Scheme)
	args[11], args[12] = lower.bytes(connection.Certificate)
	args[13], args[14] = lower.bytes(connection.Peer)
	args[15] = nowMS
	return args, lower.err
}
