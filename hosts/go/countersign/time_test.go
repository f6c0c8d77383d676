package countersign

import (
	"net/http"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestAnInvalidClockAdmitsNothing(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	token := issuer.Token(keyA)
	for name, now := range map[string]func() time.Time{
		"the zero time":   func() time.Time { return time.Time{} },
		"before 1970":     func() time.Time { return time.UnixMilli(-1) },
		"after all years": func() time.Time { return time.Unix(1<<62, 0) },
		"a panic":         func() time.Time { panic("no battery") },
		"no function":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithClock(now))
			want(t, "protected", check(t, gate, "/write", token), "internal_error")
			want(t, "public", check(t, gate, "/healthz", ""), "internal_error")
			want(t, "token", codeOf(gate.Verify(t.Context(), token, "")), "internal_error")
			if _, err := gate.Status(t.Context()); err == nil {
				t.Error("a status of no time")
			}
		})
	}
}

func TestAClockThatStopsForAWhileStopsNothingElse(t *testing.T) {
	issuer, clock := issuertest.New(t, keyA), newClock()
	works := true
	gate := newGate(t, clock, policyOf(issuer.Entry("platform")), WithInlineRefresh(), WithClock(func() time.Time {
		if !works {
			return time.Time{}
		}
		return clock.now()
	}))
	want(t, "before", check(t, gate, "/write", issuer.Token(keyA)), "allow")
	works = false
	want(t, "meanwhile", check(t, gate, "/write", issuer.Token(keyA)), "internal_error")
	works = true
	want(t, "after", check(t, gate, "/write", issuer.Token(keyA)), "allow")
}

func TestAPlanIsKeptOnAMonotonicTimer(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name     string
		left     []time.Duration
		passed   time.Duration
		min, max time.Duration
	}{
		{"due at once", []time.Duration{0}, 0, 0, 0},
		{"jitter is a tenth", []time.Duration{20 * time.Second}, 0, 20 * time.Second, 22 * time.Second},
		{"and bounded", []time.Duration{24 * time.Hour}, 0, 24 * time.Hour, 24*time.Hour + maxDelay},
		{"past the jitter", []time.Duration{time.Second, 0}, 3 * time.Second, -3 * time.Second, -1900 * time.Millisecond},
		{"the clock went forward", []time.Duration{time.Hour, 0}, time.Second, 0, 0},
		{"the clock went back", []time.Duration{time.Second, 8 * time.Hour}, time.Second, 8 * time.Hour, 8*time.Hour + maxDelay},
	} {
		plan, delay, at := plan{}, time.Duration(0), now
		for i, left := range test.left {
			at = now.Add(time.Duration(i) * test.passed)
			delay = plan.delay(left, at)
		}
		if delay < test.min || delay > test.max {
			t.Errorf("%s: %v", test.name, delay)
		}
		if again := plan.delay(test.left[len(test.left)-1], at); again != delay {
			t.Errorf("%s: asked again at the same moment, %v instead of %v", test.name, again, delay)
		}
	}
}

// The process was frozen for an hour between two requests.
func TestARequestAfterAFreezeIsDecidedByFreshDocuments(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	gate := newGate(t, clock, policyOf(issuer.Entry("platform")), WithInlineRefresh())
	token := issuer.Token(keyA)
	want(t, "before", check(t, gate, "/write", token), "allow")
	issuer.Publish(keyB)
	clock.forward(time.Hour)
	want(t, "a public page", check(t, gate, "/healthz", ""), "allow")
	want(t, "withdrawn", check(t, gate, "/write", token), "key_unknown")
	want(t, "fetches", issuer.Requests("/jwks"), 2)
}

func TestAfterAFreezeOnlyItsOwnRequestsWaitForAnIssuerThatHangs(t *testing.T) {
	clock, hangs, works := newClock(), issuertest.New(t, keyA), issuertest.New(t, keyB)
	gate := newGate(t, clock, policyOf(hangs.Entry("hangs"), works.Entry("works")), WithInlineRefresh(), WithWait(time.Second))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	leave := make(chan struct{})
	defer close(leave)
	hangs.Answer("/jwks", func(http.ResponseWriter, *http.Request) { <-leave })
	clock.forward(time.Hour)
	began := time.Now()
	want(t, "public", check(t, gate, "/healthz", ""), "allow")
	want(t, "the other issuer's", check(t, gate, "/write", works.Token(keyB)), "allow")
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("they waited: %v", took)
	}
	began = time.Now()
	want(t, "its own, by the old keys", check(t, gate, "/write", hangs.Token(keyA)), "allow")
	if took := time.Since(began); took < 900*time.Millisecond || took > 4*time.Second {
		t.Errorf("it waited: %v", took)
	}
}
