package countersign

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"time"
)

// A layout is a memory in which a test writes values by the canonical ABI.
type layout struct{ memory []byte }

// u8 and the others write at an offset. text appends a string to the memory and
// writes its address at the offset.
func (r *layout) u8(at int, value uint8)   { r.memory[at] = value }
func (r *layout) u16(at int, value uint16) { binary.LittleEndian.PutUint16(r.memory[at:], value) }
func (r *layout) u32(at int, value uint32) { binary.LittleEndian.PutUint32(r.memory[at:], value) }
func (r *layout) u64(at int, value uint64) { binary.LittleEndian.PutUint64(r.memory[at:], value) }

func (r *layout) text(at int, text string) {
	r.u32(at, uint32(len(r.memory)))
	r.u32(at+4, uint32(len(text)))
	r.memory = append(r.memory, text...)
}

// list appends memory for a list, writes its address at the offset, and returns
// it.
func (r *layout) list(at int, length, size int) int {
	start := len(r.memory)
	r.u32(at, uint32(start))
	r.u32(at+4, uint32(length))
	r.memory = append(r.memory, make([]byte, length*size)...)
	return start
}

func TestValuesAreReadByTheCanonicalABI(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		lay  func(r *layout)
		lift func(l *lifter) any
		want any
	}{
		{"problem", problemSize, func(r *layout) {
			r.text(0, "/a")
			r.text(8, "code")
			r.text(16, "words")
			r.u8(24, 1)
		}, func(l *lifter) any { return l.problem(0) }, Problem{"/a", "code", "words", SeverityWarning}},

		{"fetch", fetchSize, func(r *layout) {
			r.u32(0, 7)
			r.text(4, "platform")
			r.u8(12, 2)
			r.text(16, "https://a")
			r.u32(24, 5000)
			r.u32(28, 9)
		}, func(l *lifter) any { return l.fetch(0) }, Fetch{7, "platform", KindRevocations, "https://a", 5 * time.Second, 9}},

		{"status of a document", statusSize, func(r *layout) {
			r.text(0, "platform")
			r.u8(8, 1)
			r.text(12, "https://a")
			r.u8(24, 1)
			r.u64(32, 1500)
			r.u32(40, 3)
			r.u8(44, 1)
		}, func(l *lifter) any { return l.documentStatus(0) },
			DocumentStatus{"platform", KindJWKS, "https://a", true, 1500 * time.Millisecond, 3, true}},

		{"step", stepSize, func(r *layout) {
			r.text(0, "signature")
			r.u8(8, 1)
			r.u8(12, 1)
			r.text(16, "signature_invalid")
			r.text(24, "another key's")
		}, func(l *lifter) any { return l.step(0) }, Step{"signature", VerdictFail, "signature_invalid", "another key's"}},

		{"inspection", 44, func(r *layout) {
			r.u8(0, 1)
			r.text(4, "{}")
			r.u8(24, 1)
			r.u32(28, 256)
			r.u8(32, 1)
			r.text(36, "token_malformed")
		}, func(l *lifter) any { return l.inspection(0) }, Inspection{"{}", "", 256, "token_malformed"}},

		{"denial", 64, func(r *layout) {
			r.text(0, "keys_unavailable")
			r.u16(8, 503)
			r.text(12, "words")
			r.u8(20, 1)
			r.text(24, "Bearer")
			r.u8(32, 1)
			r.text(36, "/tenant_id")
			r.u8(44, 1)
			r.text(48, "gateway")
			r.u8(56, 1)
			r.u32(60, 5)
		}, func(l *lifter) any { return *l.denial(0) },
			Denial{"keys_unavailable", 503, "words", "Bearer", "/tenant_id", "gateway", 5 * time.Second}},

		{"accepted", 28, func(r *layout) { r.list(4, 1, problemSize) },
			func(l *lifter) any { return l.supplied(0) }, Supplied{Accepted, []Problem{{Severity: SeverityError}}}},
		{"refused", 32, func(r *layout) { r.u8(0, 1); r.text(4, "/keys") },
			func(l *lifter) any { return l.supplied(0) }, Supplied{Refused, []Problem{{Pointer: "/keys", Severity: SeverityError}}}},
		{"unfinished", 32, func(r *layout) { r.u8(0, 2) }, func(l *lifter) any { return l.supplied(0) }, Supplied{Outcome: Unfinished}},
		{"outdated", 32, func(r *layout) { r.u8(0, 3) }, func(l *lifter) any { return l.supplied(0) }, Supplied{Outcome: Outdated}},

		{"no grant", 8, func(*layout) {}, func(l *lifter) any { return l.optionalGrant(0) == nil }, true},

		{"grant", 144, func(r *layout) {
			r.u8(0, 1)
			r.u8(8, 1)
			principal := 16
			r.text(principal, "platform")
			r.text(principal+8, "https://a")
			r.u8(principal+16, 1)
			r.text(principal+20, "ada")
			r.u8(principal+40, 1)
			r.text(principal+44, "")
			r.text(r.list(principal+52, 1, textSize), "acme")
			r.text(r.list(principal+60, 1, textSize), "admin")
			r.u8(principal+80, 1)
			r.u64(principal+88, 1_790_000_000_000)
			r.text(principal+96, "{}")
			grant := 8
			r.text(r.list(grant+112, 1, textSize), "x-auth")
			pair := r.list(grant+120, 1, pairSize)
			r.text(pair, "x-auth")
			r.text(pair+8, "ada")
		}, func(l *lifter) any { return text(l.optionalGrant(0)) }, text(&Grant{
			Principal: &Principal{
				Issuer: "platform", Iss: "https://a", Subject: "ada", Tenants: []string{"acme"}, Roles: []string{"admin"}, ExpiresAt: start, Claims: "{}",
				has: struct{ subject, tenant, tokenType bool }{subject: true, tenant: true},
			},
			RemoveHeaders: []string{"x-auth"}, SetHeaders: []Header{{"x-auth", "ada"}},
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &layout{make([]byte, test.size)}
			test.lay(r)
			l := &lifter{memory: r.memory}
			if got := test.lift(l); !reflect.DeepEqual(got, test.want) || l.broken {
				t.Errorf("got %+v, want %+v, broken: %v", got, test.want, l.broken)
			}
		})
	}
}

func TestADecisionIsOneOfFour(t *testing.T) {
	r := &layout{make([]byte, 64)}
	r.u64(8, 1<<63)
	others := r.list(16, 1, otherSize)
	r.text(others, "gateway")
	r.u64(others+8, 7)
	changes := r.list(24, 3, changeSize)
	r.text(changes+4, "cookie")
	r.text(changes+12, "a=\xff")
	r.u8(changes+changeSize, 1)
	r.text(changes+changeSize+4, "x-a")
	r.u8(changes+2*changeSize, 2)
	r.text(changes+2*changeSize+4, "/a?b")
	answer, allow := (&lifter{memory: r.memory}).decision(0)
	want(t, "allow", allow != nil && allow.number == 1<<63 && answer.Denial == nil, true)
	want(t, "others", len(allow.others) == 1 && allow.others[0] == other{"gateway", 7}, true)
	if !reflect.DeepEqual(answer.Changes, []Change{
		{Header: Header{"cookie", "a=\xff"}}, {Header: Header{Name: "x-a"}, IsRemoval: true}, {Target: "/a?b"},
	}) {
		t.Errorf("changes: %#v", answer.Changes)
	}

	r = &layout{make([]byte, 64)}
	r.u8(0, 1)
	answer, allow = (&lifter{memory: r.memory}).decision(0)
	want(t, "deny", allow == nil && answer.Denial != nil, true)

	r = &layout{make([]byte, 64)}
	r.u8(0, 2)
	r.list(8, 2, fetchSize)
	answer, allow = (&lifter{memory: r.memory}).decision(0)
	want(t, "wait", allow == nil && len(answer.Wait) == 2, true)

	r = &layout{make([]byte, 64)}
	r.u8(0, 3)
	r.u16(8, 200)
	r.text(r.list(12, 1, pairSize), "a")
	r.text(20, "{}")
	answer, allow = (&lifter{memory: r.memory}).decision(0)
	want(t, "answer", allow == nil, true)
	if !reflect.DeepEqual(answer.Answered, &Answered{200, []Header{{"a", ""}}, []byte("{}")}) {
		t.Errorf("answer: %#v", answer.Answered)
	}
}

func TestInvalidValuesBreakTheLifter(t *testing.T) {
	for name, lift := range map[string]func(l *lifter){
		"beyond the end":              func(l *lifter) { l.u64(60) },
		"far beyond the end":          func(l *lifter) { l.u32(0xFFFF_FFFF) },
		"a text that ends outside":    func(l *lifter) { l.text(0) },
		"a list that ends outside":    func(l *lifter) { l.fetches(0) },
		"a list of 2^32 problems":     func(l *lifter) { l.problems(8) },
		"a fifth kind of decision":    func(l *lifter) { l.decision(16) },
		"a truth beside true, false":  func(l *lifter) { l.bool(16) },
		"a third severity":            func(l *lifter) { l.problem(16) },
		"a kind that no document has": func(l *lifter) { l.kind(16) },
	} {
		r := &layout{make([]byte, 64)}
		r.u32(4, 65)
		r.u32(12, 0xFFFF_FFFF)
		r.u8(16, 9)
		r.u8(16+24, 2)
		l := &lifter{memory: r.memory}
		if lift(l); !l.broken {
			t.Errorf("%s was read", name)
		}
	}
}

func TestArgumentsAreWrittenIntoMemoryThatTheModuleAllocates(t *testing.T) {
	r := &layout{}
	asked := []string{}
	l := &lowerer{
		alloc: func(align, size uint32) (uint32, error) {
			asked = append(asked, text([]uint32{align, size}))
			at := uint32(len(r.memory))
			r.memory = append(r.memory, make([]byte, size)...)
			return at, nil
		},
		write: func(at uint32, text string) bool { return copy(r.memory[at:], text) == len(text) },
		put:   func(at, value uint32) bool { r.u32(int(at), value); return true },
	}
	at, length := l.headers([]Header{{"cookie", "a=b"}, {"x", ""}})
	if l.err != nil {
		t.Fatal(l.err)
	}
	lifter := &lifter{memory: append(r.memory, 0, 0)}
	got := []Header{lifter.header(uint32(at)), lifter.header(uint32(at) + pairSize)}
	want(t, "headers", text(got), text([]Header{{"cookie", "a=b"}, {"x", ""}}))
	want(t, "length", length, 2)
	want(t, "allocations: alignment and size", text(asked), text([]string{"[4,32]", "[1,6]", "[1,3]", "[1,1]"}))

	at, length = l.text("")
	want(t, "an empty text needs no allocation", at == 1 && length == 0 && len(asked) == 4, true)

	full := &lowerer{alloc: func(uint32, uint32) (uint32, error) { return 0, errors.New("full") }}
	full.headers([]Header{{"a", "b"}})
	want(t, "the first fault", full.err.Error(), "full")
	outside := &lowerer{
		alloc: func(uint32, uint32) (uint32, error) { return 1 << 31, nil },
		write: func(uint32, string) bool { return false },
	}
	outside.text("a")
	want(t, "allocated outside", errors.Is(outside.err, errOutside), true)
}
