package countersign

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestAReloadPutsTheNewPolicyInForceWithItsKeys(t *testing.T) {
	clock, old, next := newClock(), issuertest.New(t, keyA), issuertest.New(t, keyB)
	gate := newGate(t, clock, policyOf(old.Entry("old")))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "before", check(t, gate, "/write", next.Token(keyB)), "issuer_unknown")

	both := policyOf(old.Entry("old"), next.Entry("next"))
	if err := gate.Reload(t.Context(), []byte(text(both))); err != nil {
		t.Fatal(err)
	}
	want(t, "keys are taken over", old.Requests("/jwks"), 1)
	want(t, "keys come before the change", next.Requests("/jwks"), 1)
	want(t, "after", check(t, gate, "/write", next.Token(keyB)), "allow")
	want(t, "still", check(t, gate, "/write", old.Token(keyA)), "allow")

	if err := gate.Reload(t.Context(), []byte(text(policyOf(next.Entry("next"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "gone", check(t, gate, "/write", old.Token(keyA)), "issuer_unknown")
	want(t, "documents are taken over", next.Requests("/jwks"), 1)
}

func TestABrokenPolicyChangesNothing(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	gate := newGate(t, newClock(), policy)
	token := issuer.Token(keyA)
	policy["contract"] = "2"
	var refused *PolicyError
	if err := gate.Reload(t.Context(), []byte(text(policy))); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	want(t, "check", check(t, gate, "/write", token), "allow")
}

// In a rolling change a policy can come before the file that knows its words.
func TestAPolicyOfANewerFileIsRefusedWithEachWordThatIsNotKnownAndTheOldOneStays(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	before, err := gate.Status(t.Context())
	want(t, "status", err, nil)
	newer := policyOf(issuer.Entry("platform"))
	entry, rule := newer["issuers"].([]object)[0], newer["rules"].([]object)[1]
	places := map[string]object{
		"": newer, "/issuers/0": entry, "/issuers/0/keys": entry["keys"].(object), "/rules/1": rule, "/rules/1/require": rule["require"].(object),
	}
	expected := []string{"/issuers/0/algorithms/1 value_invalid"}
	for place, members := range places {
		members["some_future_word"] = true
		expected = append(expected, place+"/some_future_word field_unknown")
	}
	entry["algorithms"] = []string{"RS256", "ML-DSA-65"}
	var refused *PolicyError
	if err := gate.Reload(t.Context(), []byte(text(newer))); !errors.As(err, &refused) {
		t.Fatal(err)
	}
	var problems []string
	for _, problem := range refused.Problems {
		if problem.Severity == SeverityError {
			problems = append(problems, problem.Pointer+" "+problem.Code)
		}
	}
	slices.Sort(problems)
	slices.Sort(expected)
	want(t, "problems", strings.Join(problems, "\n"), strings.Join(expected, "\n"))
	after, err := gate.Status(t.Context())
	want(t, "status", err, nil)
	want(t, "digest", after.PolicyDigest, before.PolicyDigest)
	want(t, "check", check(t, gate, "/write", issuer.Token(keyA)), "allow")
}

func TestARequirementOutlivesAReload(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	gate := newGate(t, newClock(), policy)
	token := issuer.Token(keyA)
	admin := Require(`{"scopes":["admin"]}`)
	read := Require(`{"scopes":["read"]}`)
	for range 3 {
		want(t, "admin", codeOf(gate.Verify(t.Context(), token, admin)), "scope_insufficient")
		want(t, "read", codeOf(gate.Verify(t.Context(), token, read)), "allow")
		if err := gate.Reload(t.Context(), []byte(text(policy))); err != nil {
			t.Fatal(err)
		}
	}
}

// Everything at once: a thousand goroutines check requests while policies are
// reloaded, keys rotate and instances die.
func TestAThousandGoroutinesAReloadAndARotationAtTheSameTime(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA, keyB)
	policies := []object{policyOf(issuer.Entry("platform")), policyOf(issuer.Entry("renamed"))}
	gate := newGate(t, clock, policies[0], WithInstances(4))
	tokens := []string{issuer.Token(keyA), issuer.Token(keyB)}
	var stop atomic.Bool
	var background, all sync.WaitGroup
	background.Go(func() {
		for i := 0; !stop.Load(); i++ {
			if err := gate.Reload(t.Context(), []byte(text(policies[i%2]))); err != nil {
				t.Error(err)
			}
		}
	})
	background.Go(func() {
		for i := 0; !stop.Load(); i++ {
			issuer.Publish([][]string{{keyA}, {keyB}, {keyA, keyB}}[i%3]...)
			clock.forward(31 * time.Second)
			if err := gate.Warm(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	background.Go(func() {
		for !stop.Load() {
			// An instance dies during a call.
			_ = gate.inForce.Load().pool.call(t.Context(), func(r *reader) error {
				r.instance.Close()
				return &Trap{"for the test's sake"}
			})
			time.Sleep(10 * time.Millisecond)
		}
	})
	for i := range 1000 {
		all.Go(func() {
			for j := range 5 {
				switch code := check(t, gate, "/write", tokens[(i+j)%2]); code {
				case "allow", "key_unknown", "keys_unavailable":
				default:
					t.Error("a good token, whose key is here or not:", code)
				}
				want(t, "an invalid token", check(t, gate, "/write", "nonsense"), "token_malformed")
				want(t, "public", check(t, gate, "/healthz", ""), "allow")
			}
		})
	}
	all.Wait()
	stop.Store(true)
	background.Wait()
	issuer.Publish(keyA, keyB)
	clock.forward(31 * time.Second)
	eventually(t, "all is as it was", func() bool {
		return check(t, gate, "/write", tokens[0]) == "allow" && check(t, gate, "/write", tokens[1]) == "allow"
	})
}

func TestARequestThatWaitsDuringAReloadIsDecidedByTheNewPolicy(t *testing.T) {
	slow, other := issuertest.New(t, keyA), issuertest.New(t, keyA)
	slow.Answer("/jwks", neverAnswer)
	gate := newGate(t, newClock(), policyOf(slow.Entry("slow")), WithWait(time.Minute))
	codes := tenWaiting(t, gate, slow.Token(keyA))
	if err := gate.Reload(t.Context(), []byte(text(policyOf(other.Entry("other"))))); err != nil {
		t.Fatal(err)
	}
	for range cap(codes) {
		want(t, "code", <-codes, "issuer_unknown")
	}
}

func TestCloseLeavesNoGoroutineAndAdmitsNothing(t *testing.T) {
	slow := issuertest.New(t, keyA)
	slow.Answer("/jwks", neverAnswer)
	gate := newGate(t, newClock(), policyOf(slow.Entry("slow")), WithWait(time.Minute))
	codes := tenWaiting(t, gate, slow.Token(keyA))
	want(t, "before", strings.Contains(goroutines(), "hosts/go/countersign.(*tasks).start"), true)
	if err := gate.Close(); err != nil {
		t.Fatal(err)
	}
	for range cap(codes) {
		want(t, "code", <-codes, "internal_error")
	}
	eventually(t, "none of them is left", func() bool {
		all := goroutines()
		// The function that starts this package's goroutines, and an HTTP
		// client's goroutines.
		return !strings.Contains(all, "hosts/go/countersign.(*tasks).start") && !strings.Contains(all, "net/http.(*persistConn)")
	})
}

func TestOfOverlappingReloadsTheLastOneStaysInForce(t *testing.T) {
	slow, last := issuertest.New(t, keyA), issuertest.New(t, keyB)
	slow.Answer("/jwks", neverAnswer)
	gate := newGate(t, newClock(), policyOf(last.Entry("first")), WithWait(500*time.Millisecond))
	var all sync.WaitGroup
	all.Go(func() {
		if err := gate.Reload(t.Context(), []byte(text(policyOf(slow.Entry("slow"))))); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the first reload waits for documents", func() bool { return slow.Requests("/jwks") > 0 })
	if err := gate.Reload(t.Context(), []byte(text(policyOf(last.Entry("last"))))); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	decision, err := gate.Check(t.Context(), to("/write", last.Token(keyB)))
	want(t, "code", codeOf(decision, err), "allow")
	want(t, "issuer", decision.Grant.Principal.Issuer, "last")
}

func TestAReloadThatWaitsBlocksNeitherRequirementsNorClose(t *testing.T) {
	hangs, issuer := issuertest.New(t, keyA), issuertest.New(t, keyB)
	hangs.Answer("/jwks", neverAnswer)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithWait(time.Minute))
	reloaded := make(chan error, 2)
	for range cap(reloaded) {
		go func() { reloaded <- gate.Reload(t.Context(), []byte(text(policyOf(hangs.Entry("hangs"))))) }()
	}
	eventually(t, "a reload waits", func() bool { return hangs.Requests("/jwks") > 0 })
	began := time.Now()
	want(t, "a first requirement", codeOf(gate.Verify(t.Context(), issuer.Token(keyB), `{"scopes":["admin"]}`)), "scope_insufficient")
	if err := gate.Close(); err != nil {
		t.Fatal(err)
	}
	for range cap(reloaded) {
		if err := <-reloaded; !errors.Is(err, errClosed) {
			t.Errorf("%v", err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	want(t, "it stays closed", check(t, gate, "/healthz", ""), "internal_error")
	eventually(t, "no goroutine is left", func() bool { return !strings.Contains(goroutines(), "hosts/go/countersign.(*tasks).start") })
}

// tenWaiting starts ten checks of a token whose keys do not arrive. It returns
// when all of them wait. The channel gets their codes.
func tenWaiting(t *testing.T, gate *Gate, token string) chan string {
	t.Helper()
	codes := make(chan string, 10)
	for range cap(codes) {
		go func() { codes <- check(t, gate, "/write", token) }()
	}
	eventually(t, "all wait", func() bool { return waiting(gate) == cap(codes) })
	return codes
}

// waiting returns the number of requests that wait for documents.
func waiting(gate *Gate) (all int) {
	limits := &gate.inForce.Load().waitLimits
	limits.mu.Lock()
	defer limits.mu.Unlock()
	for _, requests := range limits.waiting {
		all += requests
	}
	return all
}

// neverAnswer is a handler that does not answer.
func neverAnswer(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func goroutines() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}
