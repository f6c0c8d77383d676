package countersign

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
	"time"
)

// An Instance is the module's own functions over one open gate: no fetches,
// no clock, no pool, one caller at a time. Every moment is an argument, in
// milliseconds since 1970.
//
// It is for runners of test vectors, benches, and hosts of another kind than
// [Gate]. An error of its methods that is no [PolicyError] is a [Trap]: the
// instance died, and every further call fails too.
type Instance struct {
	guest  *guest
	gate   uint64
	grants grants
}

// Request is a request as bytes, the way the module takes it. Nothing here
// needs to be valid.
type Request struct {
	Method string
	// Authority is `:authority`, or that of an absolute target; empty where
	// there is none, and the field `host` counts.
	Authority string
	// Target is in origin form, query included (RFC 9112 §3.2.1).
	Target string
	// Headers are fields in order, repeated names repeated, and `:protocol`.
	Headers []Header
}

// A Header is one field: the name in lower case, the value as raw bytes.
type Header struct {
	Name, Value string
}

// An Answer is a decision, or the documents that it waits for: supply them
// and ask again.
type Answer struct {
	Decision
	Wait []Fetch
}

// OpenInstance opens a policy. The options that matter are those of how the
// module runs: [WithInterpreter] and [WithCompilationCache].
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

// seed keeps strangers from aiming at the table of remembered tokens.
func seed() uint64 {
	var bytes [8]byte
	// It never fails: the program ends before.
	_, _ = rand.Read(bytes[:])
	return binary.LittleEndian.Uint64(bytes[:])
}

// call is [guest.call] unless its arguments could not be lowered.
func (i *Instance) call(name string, lowered error, lift func(*lifter, uint32), params ...uint64) error {
	if lowered != nil {
		return dead(lowered)
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

// Reads names, in lower case, the headers that decisions read: others need
// not be in a [Request].
func (i *Instance) Reads() (names []string, err error) {
	err = i.guest.call("reads", func(l *lifter, at uint32) { names = l.texts(at) }, i.gate)
	return names, err
}

// Due lists the documents to fetch now. They count as started.
func (i *Instance) Due(nowMS uint64) (fetches []Fetch, err error) {
	err = i.guest.call("due", func(l *lifter, at uint32) { fetches = l.fetches(at) }, i.gate, nowMS)
	return fetches, err
}

// NextDue says how long it is until [Instance.Due] has something, if it ever
// will; 0 is now.
func (i *Instance) NextDue(nowMS uint64) (left time.Duration, ok bool, err error) {
	var leftMS uint64
	err = i.guest.call("next-due", func(l *lifter, at uint32) { leftMS, ok = l.optionalU64(at) }, i.gate, nowMS)
	return milliseconds(leftMS), ok, err
}

// Supply says how a fetch from this address ended; it failed if the response
// is nil. Of a large body it hands over the first part ([Response.Part]).
func (i *Instance) Supply(source uint32, uri string, response *Response, nowMS uint64) (supplied Supplied, err error) {
	lower := i.guest.lower()
	at, size := lower.text(uri)
	// The outcome: which case, and the flattened response.
	outcome := [7]uint64{1}
	if response != nil {
		outcome[0] = 0
		// A status that is none of HTTP's supplies nothing.
		outcome[1] = uint64(uint16(min(max(response.Status, 0), 999)))
		outcome[2], outcome[3] = lower.text(response.CacheControl)
		outcome[4] = uint64(min(len(response.Body), math.MaxUint32))
		outcome[5], outcome[6] = lower.bytes(response.Part(0))
	}
	err = i.call("supply", lower.err, func(l *lifter, at uint32) { supplied = l.supplied(at) },
		i.gate, uint64(source), at, size, outcome[0], outcome[1], outcome[2], outcome[3], outcome[4], outcome[5], outcome[6], nowMS)
	return supplied, err
}

// Resume goes on with a document of which [Instance.Supply] or this said
// [Unfinished]. The part is the next of its body; nil once all of them came.
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

// Check decides whether a request may pass.
func (i *Instance) Check(request Request, nowMS uint64) (Answer, error) {
	args, err := i.lower(request, nowMS)
	return i.decide("check", err, args[:]...)
}

// Prepare parses a requirement (JSON: what a rule calls `require`) once, for
// [Instance.CheckToken]. A requirement that is refused is a [PolicyError].
func (i *Instance) Prepare(requirement string) (number uint32, err error) {
	lower := i.guest.lower()
	at, size := lower.text(requirement)
	prepared, err := i.number("prepare", lower.err, i.gate, at, size)
	return uint32(prepared), err
}

// CheckToken is [Instance.Check] without HTTP. Requirement 0 asks nothing
// more than a good token of one of the issuers.
func (i *Instance) CheckToken(token string, requirement uint32, nowMS uint64) (Answer, error) {
	lower := i.guest.lower()
	at, size := lower.text(token)
	return i.decide("check-token", lower.err, i.gate, at, size, uint64(requirement), nowMS)
}

func (i *Instance) decide(name string, lowered error, params ...uint64) (answer Answer, err error) {
	var number uint64
	var allow bool
	err = i.call(name, lowered, func(l *lifter, at uint32) { answer, number, allow = l.decision(at) }, params...)
	if err == nil && allow {
		answer.Grant, err = i.granted(number)
	}
	if err != nil {
		return Answer{}, err
	}
	return answer, nil
}

// granted says what a number of the last answer grants.
func (i *Instance) granted(number uint64) (*Grant, error) {
	if grant := i.grants.find(number); grant != nil {
		return grant, nil
	}
	var grant *Grant
	err := i.guest.call("granted", func(l *lifter, at uint32) { grant = l.optionalGrant(at) }, i.gate, number)
	if err != nil {
		return nil, err
	}
	if grant == nil {
		return nil, &Trap{"a grant says nothing"}
	}
	i.grants.keep(number, grant)
	return grant, nil
}

// Explain lists every check of a decision in order, with its details. It
// changes nothing.
func (i *Instance) Explain(request Request, nowMS uint64) (steps []Step, err error) {
	args, lowered := i.lower(request, nowMS)
	err = i.call("explain", lowered, func(l *lifter, at uint32) { steps = l.steps(at) }, args[:]...)
	return steps, err
}

// Inspect decodes a token. It never decides.
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
