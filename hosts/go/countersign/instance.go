package countersign

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
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
}

// A Header is one field: the name in lower case, the value as raw bytes.
type Header struct {
	Name, Value string
}

// An Answer is a decision, or the documents that it waits for. Supply these and
// check again.
type Answer struct {
	Decision
	Wait []Fetch
}

// OpenInstance opens a policy in a new instance. It uses only two options:
// [WithInterpreter] and [WithCompilationCache].
func OpenInstance(ctx context.Context, policy []byte, options ...Option) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	engine, err := newSettings(options).engine()
	if err != nil {
		return nil, err
	}
	return openIn(engine, string(policy))
}

func openIn(engine *engine, policy string) (*Instance, error) {
	guest, err := engine.instantiate()
	if err != nil {
		return nil, err
	}
	i := &Instance{guest: guest}
	lower := guest.lower()
	at, size := lower.text(policy)
	i.gate, err = i.number("open", lower.err, at, size, seed())
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
	// The outcome: the case number, then the response's fields.
	outcome := [7]uint64{1}
	if response != nil {
		outcome[0] = 0
		// A status outside 0 to 999 is not 200, so it supplies nothing.
		outcome[1] = uint64(uint16(min(max(response.Status, 0), 999)))
		outcome[2], outcome[3] = lower.text(response.CacheControl)
		outcome[4] = uint64(min(len(response.Body), math.MaxUint32))
		outcome[5], outcome[6] = lower.bytes(response.Part(0))
	}
	err = i.call("supply", lower.err, func(l *lifter, at uint32) { supplied = l.supplied(at) },
		i.gate, uint64(source), at, size, outcome[0], outcome[1], outcome[2], outcome[3], outcome[4], outcome[5], outcome[6], nowMS)
	return supplied, err
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

// Status lists the state of every document.
func (i *Instance) Status(nowMS uint64) (documents []DocumentStatus, err error) {
	err = i.guest.call("status", func(l *lifter, at uint32) { documents = l.statuses(at) }, i.gate, nowMS)
	return documents, err
}

// Check decides whether a request is allowed.
func (i *Instance) Check(request Request, nowMS uint64) (Answer, error) {
	args, err := i.lower(request, nowMS)
	return i.decide("check", err, args[:]...)
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
// Requirement 0 requires only a valid token of one of the issuers.
func (i *Instance) CheckToken(token string, requirement uint32, nowMS uint64) (Answer, error) {
	lower := i.guest.lower()
	at, size := lower.text(token)
	return i.decide("check-token", lower.err, i.gate, at, size, uint64(requirement), nowMS)
}

func (i *Instance) decide(name string, lowered error, params ...uint64) (answer Answer, err error) {
	var allow *allowed
	err = i.call(name, lowered, func(l *lifter, at uint32) { answer, allow = l.decision(at) }, params...)
	if err == nil && allow != nil {
		answer.Grant, err = i.grant(allow)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
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
// not change the instance.
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

func (i *Instance) lower(request Request, nowMS uint64) (args [10]uint64, err error) {
	lower := i.guest.lower()
	args[0] = i.gate
	args[1], args[2] = lower.text(request.Method)
	args[3], args[4] = lower.text(request.Authority)
	args[5], args[6] = lower.text(request.Target)
	args[7], args[8] = lower.headers(request.Headers)
	args[9] = nowMS
	return args, lower.err
}
