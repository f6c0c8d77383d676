package countersign

import (
	"errors"
	"net/http"
	"runtime"
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
	want(t, "before", ask(t, gate, "/write", next.Token(keyB)), "issuer_unknown")

	both := policyOf(old.Entry("old"), next.Entry("next"))
	if err := gate.Reload(t.Context(), []byte(text(both))); err != nil {
		t.Fatal(err)
	}
	want(t, "keys are taken over", old.TimesAsked("/jwks"), 1)
	want(t, "keys come before the change", next.TimesAsked("/jwks"), 1)
	want(t, "after", ask(t, gate, "/write", next.Token(keyB)), "allow")
	want(t, "still", ask(t, gate, "/write", old.Token(keyA)), "allow")

	if err := gate.Reload(t.Context(), []byte(text(policyOf(next.Entry("next"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "gone", ask(t, gate, "/write", old.Token(keyA)), "issuer_unknown")
	want(t, "documents are taken over", next.TimesAsked("/jwks"), 1)
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
	want(t, "check", ask(t, gate, "/write", token), "allow")
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

// Everything at once: checks by a thousand goroutines, policies that come and
// go, keys that rotate, and instances that die.
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
			// An instance dies in somebody's hands.
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
				switch code := ask(t, gate, "/write", tokens[(i+j)%2]); code {
				case "allow", "key_unknown", "keys_unavailable":
				default:
					t.Error("a good token, whose key is here or not:", code)
				}
				want(t, "a stranger", ask(t, gate, "/write", "nonsense"), "token_malformed")
				want(t, "public", ask(t, gate, "/healthz", ""), "allow")
			}
		})
	}
	all.Wait()
	stop.Store(true)
	background.Wait()
	issuer.Publish(keyA, keyB)
	clock.forward(31 * time.Second)
	eventually(t, "all is as it was", func() bool {
		return ask(t, gate, "/write", tokens[0]) == "allow" && ask(t, gate, "/write", tokens[1]) == "allow"
	})
}

func TestWhoWaitsWhileAPolicyIsReplacedIsJudgedByTheNextOne(t *testing.T) {
	slow, other := issuertest.New(t, keyA), issuertest.New(t, keyA)
	slow.Answer("/jwks", untilItIsCancelled)
	gate := newGate(t, newClock(), policyOf(slow.Entry("slow")), WithWait(time.Minute))
	codes := tenWait(t, gate, slow.Token(keyA))
	if err := gate.Reload(t.Context(), []byte(text(policyOf(other.Entry("other"))))); err != nil {
		t.Fatal(err)
	}
	for range cap(codes) {
		want(t, "code", <-codes, "issuer_unknown")
	}
}

func TestCloseLeavesNoGoroutineAndAdmitsNobody(t *testing.T) {
	slow := issuertest.New(t, keyA)
	slow.Answer("/jwks", untilItIsCancelled)
	gate := newGate(t, newClock(), policyOf(slow.Entry("slow")), WithWait(time.Minute))
	codes := tenWait(t, gate, slow.Token(keyA))
	want(t, "before", strings.Contains(goroutines(), "hosts/go.(*tasks).start"), true)
	if err := gate.Close(); err != nil {
		t.Fatal(err)
	}
	for range cap(codes) {
		want(t, "code", <-codes, "internal_error")
	}
	eventually(t, "none of them is left", func() bool {
		all := goroutines()
		// Where each of this package's is made, and those of a client.
		return !strings.Contains(all, "hosts/go.(*tasks).start") && !strings.Contains(all, "net/http.(*persistConn)")
	})
}

func TestOfOverlappingReloadsTheLastOneStaysInForce(t *testing.T) {
	slow, last := issuertest.New(t, keyA), issuertest.New(t, keyB)
	slow.Answer("/jwks", untilItIsCancelled)
	gate := newGate(t, newClock(), policyOf(last.Entry("first")), WithWait(500*time.Millisecond))
	var all sync.WaitGroup
	all.Go(func() {
		if err := gate.Reload(t.Context(), []byte(text(policyOf(slow.Entry("slow"))))); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the first reload waits for documents", func() bool { return slow.TimesAsked("/jwks") > 0 })
	if err := gate.Reload(t.Context(), []byte(text(policyOf(last.Entry("last"))))); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	decision, err := gate.Check(t.Context(), to("/write", last.Token(keyB)))
	want(t, "code", codeOf(decision, err), "allow")
	want(t, "issuer", decision.Grant.Principal.Issuer, "last")
}

func TestAReloadOfAnIssuerThatHangsHoldsUpNeitherRequirementsNorClose(t *testing.T) {
	hangs, issuer := issuertest.New(t, keyA), issuertest.New(t, keyB)
	hangs.Answer("/jwks", untilItIsCancelled)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithWait(time.Minute))
	reloaded := make(chan error, 2)
	for range cap(reloaded) {
		go func() { reloaded <- gate.Reload(t.Context(), []byte(text(policyOf(hangs.Entry("hangs"))))) }()
	}
	eventually(t, "a reload waits", func() bool { return hangs.TimesAsked("/jwks") > 0 })
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
	want(t, "it stays closed", ask(t, gate, "/healthz", ""), "internal_error")
	eventually(t, "no goroutine is left", func() bool { return !strings.Contains(goroutines(), "hosts/go.(*tasks).start") })
}

// tenWait asks ten times with a token whose keys do not come. It returns once
// all of them wait, and sends their codes.
func tenWait(t *testing.T, gate *Gate, token string) chan string {
	t.Helper()
	codes := make(chan string, 10)
	for range cap(codes) {
		go func() { codes <- ask(t, gate, "/write", token) }()
	}
	eventually(t, "all wait", func() bool { return waiting(gate) == cap(codes) })
	return codes
}

// waiting is how many requests wait for documents.
func waiting(gate *Gate) (all int) {
	rooms := &gate.inForce.Load().rooms
	rooms.mu.Lock()
	defer rooms.mu.Unlock()
	for _, taken := range rooms.taken {
		all += taken
	}
	return all
}

// untilItIsCancelled is a server that does not answer.
func untilItIsCancelled(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func goroutines() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}
