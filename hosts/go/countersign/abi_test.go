package countersign

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
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
	isTrue := true
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
			header := r.list(24, 1, pairSize)
			r.text(header, "authorization")
			r.text(header+8, "Bearer b")
			r.u32(32, 5000)
			r.u32(36, 9)
		}, func(l *lifter) any { return l.fetch(0) },
			Fetch{7, "platform", KindRevocations, "https://a", []Header{{"authorization", "Bearer b"}}, 5 * time.Second, 9}},

		{"request to send", 56, func(r *layout) {
			r.u64(0, 1<<52)
			r.text(8, "platform")
			r.text(16, "POST")
			r.text(24, "https://a")
			header := r.list(32, 1, pairSize)
			r.text(header, "accept")
			r.text(header+8, "b")
			r.text(40, "c=\xff")
			r.u32(48, 5000)
			r.u32(52, 9)
		}, func(l *lifter) any { return l.outgoing(0) },
			Outgoing{1 << 52, "platform", "POST", "https://a", []Header{{"accept", "b"}}, []byte("c=\xff"), 5 * time.Second, 9}},

		{"proof to look up", 32, func(r *layout) {
			r.u64(0, 1<<52)
			r.text(8, strings.Repeat("i", 32))
			r.text(16, strings.Repeat("o", 32))
			r.u64(24, 1_790_000_000_000)
		}, func(l *lifter) any { return l.proof(0) },
			ProofQuestion{1 << 52, Proof{[32]byte(bytes.Repeat([]byte("i"), 32)), [32]byte(bytes.Repeat([]byte("o"), 32)), start}}},

		{"signature to verify", 40, func(r *layout) {
			r.u64(0, 1<<52)
			r.text(8, "RS256")
			r.u32(16, 3)
			r.text(20, "a.b")
			r.text(28, "c")
		}, func(l *lifter) any { return l.question(0) },
			question{1 << 52, 3, []byte("RS256"), []byte("a.b"), []byte("c")}},

		{"key", 16, func(r *layout) {
			r.u8(0, 1)
			r.u8(4, 1)
			r.text(8, "secret")
		}, func(l *lifter) any { return *l.optionalKey(0) }, keyMaterial{true, []byte("secret")}},

		{"problem of a response", 32, func(r *layout) {
			r.u8(0, 1)
			r.text(4, "/a")
			r.text(12, "code")
			r.text(20, "words")
		}, func(l *lifter) any { return *l.optionalProblem(0) }, Problem{"/a", "code", "words", SeverityError}},

		{"status of a document", statusSize, func(r *layout) {
			r.text(0, "platform")
			r.u8(8, 1)
			r.text(12, "https://a")
			r.u8(24, 1)
			r.u64(32, 1500)
			r.u32(40, 3)
			r.u8(44, 1)
			r.u8(45, 1)
		}, func(l *lifter) any { return l.documentStatus(0) },
			DocumentStatus{"platform", KindJWKS, "https://a", true, 1500 * time.Millisecond, 3, true, true}},

		{"event", 80, func(r *layout) {
			r.u8(0, 1)
			r.u32(4, 3)
			r.u8(8, 1)
			r.text(12, "orgs")
			r.text(20, "/orgs/{org}/**")
			r.u8(28, 1)
			r.text(32, "platform")
			r.u8(40, 1)
			r.text(44, "user")
			r.u8(52, 1)
			r.u8(53, 1)
			r.u8(56, 1)
			r.text(60, "00ff")
			r.u8(68, 1)
			r.text(72, "\xff")
		}, func(l *lifter) any { return l.facts(0) },
			Facts{&MatchedRule{3, "orgs", "/orgs/{org}/**"}, "platform", "user", &isTrue, "00ff", "\xff"}},
		{"event without facts", 80, func(*layout) {}, func(l *lifter) any { return l.facts(0) }, Facts{}},

		{"signed policy", 40, func(r *layout) {
			r.text(8, "{}")
			r.u64(16, 7)
			r.u64(24, 1_790_000_000_000)
			r.text(32, "a")
		}, func(l *lifter) any { signed, _ := l.signedPolicy(0); return signed }, SignedPolicy{[]byte("{}"), 7, start, "a"}},
		{"refused signed policy", 40, func(r *layout) {
			r.u8(0, 1)
			r.text(16, "expired")
		}, func(l *lifter) any { _, refused := l.signedPolicy(0); return refused },
			&PolicyError{[]Problem{{Code: "expired", Severity: SeverityError}}}},

		{"step", stepSize, func(r *layout) {
			r.text(0, "signature")
			r.u8(8, 1)
			r.u8(12, 1)
			r.text(16, "signature_invalid")
			r.text(24, "another key's")
		}, func(l *lifter) any { return l.step(0) }, Step{"signature", VerdictFail, "signature_invalid", "another key's"}},

		{"inspection", 56, func(r *layout) {
			r.u8(0, 1)
			r.text(4, "{}")
			r.u8(24, 1)
			r.u32(28, 256)
			r.u8(32, 1)
			r.text(36, "token_malformed")
			r.u8(44, 1)
			r.text(48, "two parts")
		}, func(l *lifter) any { return l.inspection(0) }, Inspection{"{}", "", 256, "token_malformed", "two parts"}},

		{"denial", 76, func(r *layout) {
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
			r.u8(64, 1)
			r.text(68, "n-1")
		}, func(l *lifter) any { return *l.denial(0) },
			Denial{"keys_unavailable", 503, "words", "Bearer", "/tenant_id", "gateway", 5 * time.Second, "n-1"}},

		{"accepted", 28, func(r *layout) { r.u32(4, 2); r.list(8, 1, problemSize) },
			func(l *lifter) any { return l.supplied(0) }, Supplied{Accepted, 2, []Problem{{Severity: SeverityError}}}},
		{"refused", 32, func(r *layout) { r.u8(0, 1); r.text(4, "/keys") },
			func(l *lifter) any { return l.supplied(0) }, Supplied{Refused, 0, []Problem{{Pointer: "/keys", Severity: SeverityError}}}},
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

	r = &layout{make([]byte, 84)}
	r.u8(0, 1)
	answer, allow = (&lifter{memory: r.memory}).decision(0)
	want(t, "deny", allow == nil && answer.Denial != nil, true)

	r = &layout{make([]byte, 64)}
	r.u8(0, 2)
	needs := r.list(8, 5, needSize)
	r.u8(needs+needSize, 1)
	r.u8(needs+2*needSize, 2)
	r.u8(needs+4*needSize, 3)
	for _, hash := range []int{16, 24} {
		r.text(needs+4*needSize+hash, strings.Repeat("h", 32))
	}
	lift := &lifter{memory: r.memory}
	answer, allow = lift.decision(0)
	want(t, "wait", allow == nil && len(answer.Wait) == 2 && len(answer.Requests) == 1 && len(lift.asked) == 1 && len(answer.Proofs) == 1, true)

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
		"a fifth kind of need":        func(l *lifter) { l.memory[56] = 16; l.memory[60] = 1; l.needs(56, &Answer{}) },
		"a hash of another length":    func(l *lifter) { l.hash(24) },
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
