package countersign

import (
	"encoding/binary"
	"math"
	"time"
)

// Sizes in bytes of the records of wit/countersign.wit in the module's memory,
// by the canonical ABI of the component model.
const (
	textSize    = 8
	pairSize    = 16
	otherSize   = 16
	changeSize  = 20
	problemSize = 28
	fetchSize   = 40
	needSize    = 64
	statusSize  = 48
	stepSize    = 32
)

// A lifter reads the result of a call from the module's memory. An offset
// beyond the end of the memory, or a value that is invalid for its type, sets
// broken: every later read gives zero, and the caller must not use the result.
type lifter struct {
	memory []byte
	broken bool
	asked  []question
}

func (l *lifter) bytes(at, size uint32) []byte {
	if end := uint64(at) + uint64(size); l.broken || end > uint64(len(l.memory)) {
		l.broken = true
		return nil
	}
	return l.memory[at : at+size]
}

func (l *lifter) u8(at uint32) uint8 {
	if b := l.bytes(at, 1); b != nil {
		return b[0]
	}
	return 0
}

func (l *lifter) u16(at uint32) uint16 {
	if b := l.bytes(at, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (l *lifter) u32(at uint32) uint32 {
	if b := l.bytes(at, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (l *lifter) u64(at uint32) uint64 {
	if b := l.bytes(at, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// time reads milliseconds since 1970, limited to the largest time.
func (l *lifter) time(at uint32) time.Time {
	return time.UnixMilli(int64(min(l.u64(at), math.MaxInt64)))
}

// tag reads the case number of an enum or a variant that has so many cases.
func (l *lifter) tag(at uint32, cases uint8) uint8 {
	tag := l.u8(at)
	if tag >= cases {
		l.broken = true
		return 0
	}
	return tag
}

func (l *lifter) bool(at uint32) bool { return l.tag(at, 2) == 1 }

func (l *lifter) text(at uint32) string {
	return string(l.bytes(l.u32(at), l.u32(at+4)))
}

func (l *lifter) optionalText(at uint32) (text string, ok bool) {
	if !l.bool(at) {
		return "", false
	}
	return l.text(at + 4), true
}

func (l *lifter) optionalU64(at uint32) (value uint64, ok bool) {
	if !l.bool(at) {
		return 0, false
	}
	return l.u64(at + 8), true
}

// items returns the place of the list at an offset and its length. Each item
// has `size` bytes, and all of them are in the memory.
func (l *lifter) items(at, size uint32) (start, length uint32) {
	start, length = l.u32(at), l.u32(at+4)
	bytes := uint64(length) * uint64(size)
	l.broken = l.broken || bytes > math.MaxUint32
	if l.bytes(start, uint32(bytes)); l.broken {
		return 0, 0
	}
	return start, length
}

// listOf lifts the list at an offset.
func listOf[T any](l *lifter, at, size uint32, lift func(l *lifter, at uint32) T) []T {
	start, length := l.items(at, size)
	if length == 0 {
		return nil
	}
	items := make([]T, length)
	for i := range items {
		items[i] = lift(l, start+uint32(i)*size)
	}
	return items
}

func (l *lifter) texts(at uint32) []string { return listOf(l, at, textSize, (*lifter).text) }

func (l *lifter) problem(at uint32) Problem {
	return Problem{
		Pointer:  l.text(at),
		Code:     l.text(at + 8),
		Message:  l.text(at + 16),
		Severity: [...]Severity{SeverityError, SeverityWarning}[l.tag(at+24, 2)],
	}
}

func (l *lifter) problems(at uint32) []Problem { return listOf(l, at, problemSize, (*lifter).problem) }

// supplied lifts the result of a supply.
func (l *lifter) supplied(at uint32) (supplied Supplied) {
	supplied.Outcome = [...]SupplyOutcome{Accepted, Refused, Unfinished, Outdated}[l.tag(at, 4)]
	switch supplied.Outcome {
	case Accepted:
		supplied.Used = l.u32(at + 4)
		supplied.Problems = l.problems(at + 8)
	case Refused:
		supplied.Problems = []Problem{l.problem(at + 4)}
	}
	return supplied
}

// milliseconds converts to a duration, limited to the largest one.
func milliseconds(ms uint64) time.Duration {
	return time.Duration(min(ms, math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond
}

func (l *lifter) kind(at uint32) DocumentKind {
	return [...]DocumentKind{KindDiscovery, KindJWKS, KindRevocations, KindAPIKeys}[l.tag(at, 4)]
}

func (l *lifter) fetch(at uint32) Fetch {
	return Fetch{
		Source:   l.u32(at),
		Issuer:   l.text(at + 4),
		Kind:     l.kind(at + 12),
		URI:      l.text(at + 16),
		Headers:  listOf(l, at+24, pairSize, (*lifter).header),
		Timeout:  time.Duration(l.u32(at+32)) * time.Millisecond,
		MaxBytes: l.u32(at + 36),
	}
}

func (l *lifter) fetches(at uint32) []Fetch { return listOf(l, at, fetchSize, (*lifter).fetch) }

func (l *lifter) documentStatus(at uint32) DocumentStatus {
	status := DocumentStatus{
		Issuer:   l.text(at),
		Kind:     l.kind(at + 8),
		URI:      l.text(at + 12),
		Failures: l.u32(at + 40),
		Usable:   l.bool(at + 44),
		Needed:   l.bool(at + 45),
	}
	if ms, ok := l.optionalU64(at + 24); ok {
		status.Loaded = true
		status.Age = milliseconds(ms)
	}
	return status
}

func (l *lifter) statuses(at uint32) []DocumentStatus {
	return listOf(l, at, statusSize, (*lifter).documentStatus)
}

// An allowed has the numbers of the grants of an allowed request: of the user,
// and of the principals beside the user.
type allowed struct {
	number uint64
	others []other
}

type other struct {
	name   string
	number uint64
}

func (l *lifter) other(at uint32) other { return other{l.text(at), l.u64(at + 8)} }

// decision lifts a decision. If it allows, `allow` identifies the grants. It
// adds the signatures to verify to l.asked.
func (l *lifter) decision(at uint32) (answer Answer, allow *allowed) {
	switch l.tag(at, 4) {
	case 0:
		answer.Changes = listOf(l, at+24, changeSize, (*lifter).change)
		return answer, &allowed{l.u64(at + 8), listOf(l, at+16, otherSize, (*lifter).other)}
	case 1:
		answer.Denial = l.denial(at + 8)
	case 2:
		l.needs(at+8, &answer)
	default:
		answer.Answered = l.answered(at + 8)
	}
	return answer, nil
}

// numberOrProblems lifts the result of `open` or `prepare`: a number, or the
// problems of a refused text.
func (l *lifter) numberOrProblems(at uint32) (number uint32, refused error) {
	if l.bool(at) {
		return 0, &PolicyError{l.problems(at + 4)}
	}
	return l.u32(at + 4), nil
}

func (l *lifter) denial(at uint32) *Denial {
	denial := &Denial{Code: l.text(at), Status: int(l.u16(at + 8)), Message: l.text(at + 12)}
	denial.Challenge, _ = l.optionalText(at + 20)
	denial.Claim, _ = l.optionalText(at + 32)
	denial.Principal, _ = l.optionalText(at + 44)
	if l.bool(at + 56) {
		denial.RetryAfter = time.Duration(l.u32(at+60)) * time.Second
	}
	denial.Nonce, _ = l.optionalText(at + 64)
	return denial
}

func (l *lifter) answered(at uint32) *Answered {
	return &Answered{
		Status: int(l.u16(at)),
		Header: listOf(l, at+4, pairSize, (*lifter).header),
		Body:   []byte(l.text(at + 12)),
	}
}

func (l *lifter) optionalGrant(at uint32) *Grant {
	if !l.bool(at) {
		return nil
	}
	at += 8
	grant := &Grant{
		RemoveHeaders: l.texts(at + 112),
		SetHeaders:    listOf(l, at+120, pairSize, (*lifter).header),
	}
	if l.bool(at) {
		grant.Principal = l.principal(at + 8)
	}
	return grant
}

func (l *lifter) change(at uint32) Change {
	switch l.tag(at, 3) {
	case 0:
		return Change{Header: l.header(at + 4)}
	case 1:
		return Change{Header: Header{Name: l.text(at + 4)}, IsRemoval: true}
	default:
		return Change{Target: l.text(at + 4)}
	}
}

func (l *lifter) header(at uint32) Header { return Header{l.text(at), l.text(at + 8)} }

func (l *lifter) principal(at uint32) *Principal {
	principal := &Principal{
		Issuer:  l.text(at),
		Iss:     l.text(at + 8),
		Tenants: l.texts(at + 52),
		Roles:   l.texts(at + 60),
		Scopes:  l.texts(at + 68),
		Claims:  l.text(at + 96),
	}
	principal.Subject, principal.has.subject = l.optionalText(at + 16)
	principal.TokenType, principal.has.tokenType = l.optionalText(at + 28)
	principal.Tenant, principal.has.tenant = l.optionalText(at + 40)
	if ms, ok := l.optionalU64(at + 80); ok {
		principal.ExpiresAt = time.UnixMilli(int64(ms))
	}
	return principal
}

func (l *lifter) inspection(at uint32) Inspection {
	inspection := Inspection{}
	inspection.Header, _ = l.optionalText(at)
	inspection.Claims, _ = l.optionalText(at + 12)
	if l.bool(at + 24) {
		inspection.SignatureBytes = int(l.u32(at + 28))
	}
	inspection.Fault, _ = l.optionalText(at + 32)
	inspection.Detail, _ = l.optionalText(at + 44)
	return inspection
}

func (l *lifter) step(at uint32) Step {
	step := Step{
		Check:   l.text(at),
		Verdict: [...]Verdict{VerdictPass, VerdictFail, VerdictSkip, VerdictWait}[l.tag(at+8, 4)],
		Detail:  l.text(at + 24),
	}
	step.Code, _ = l.optionalText(at + 12)
	return step
}

func (l *lifter) steps(at uint32) []Step { return listOf(l, at, stepSize, (*lifter).step) }
