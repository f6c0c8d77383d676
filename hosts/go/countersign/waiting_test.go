package countersign

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestAnIssuerThatHangsDoesNotBlockOtherIssuers(t *testing.T) {
	clock, hangs, works := newClock(), issuertest.New(t, keyA), issuertest.New(t, keyB)
	gate := newGate(t, clock, policyOf(hangs.Entry("hangs"), works.Entry("works")), WithMaxWaiting(10), WithWait(time.Minute))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	hangs.Answer("/jwks", neverAnswer)
	clock.forward(31 * time.Second)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { want(t, "a waiting request", check(t, gate, "/write", hangs.Token(keyB)), "internal_error") })
	}
	eventually(t, "the limit is reached", func() bool { return waiting(gate) == 10 })
	want(t, "one more", check(t, gate, "/write", hangs.Token(keyB)), "keys_unavailable")
	works.Publish(keyA)
	want(t, "the other rotates", check(t, gate, "/write", works.Token(keyA)), "allow")
	_ = gate.Close()
	all.Wait()
}

func TestAFetchStartsEvenIfNoRequestMayWaitForIt(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	gate := newGate(t, clock, policyOf(issuer.Entry("platform")), WithMaxWaiting(0))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	issuer.Publish(keyB)
	clock.forward(31 * time.Second)
	want(t, "no waiting", check(t, gate, "/write", issuer.Token(keyB)), "keys_unavailable")
	eventually(t, "the key is here", func() bool { return check(t, gate, "/write", issuer.Token(keyB)) == "allow" })
}

func TestADocumentThatComesWhileAllInstancesAreBusyHasNotFailed(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	mayAnswer := make(chan struct{})
	issuer.Answer("/jwks", func(w http.ResponseWriter, r *http.Request) {
		<-mayAnswer
		issuertest.Document(issuertest.JWKS(t, keyA))(w, r)
	})
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithInstances(1))
	eventually(t, "the keys are requested", func() bool { return issuer.Requests("/jwks") == 1 })
	err := gate.inForce.Load().pool.call(t.Context(), func(*reader) error {
		close(mayAnswer)
		time.Sleep(freeDeadline + 200*time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the keys are there", func() bool {
		status, err := gate.Status(t.Context())
		return err == nil && status.Documents[0].Usable && status.Documents[0].Failures == 0
	})
	want(t, "fetches", issuer.Requests("/jwks"), 1)
}

func TestIdleInstancesReadDocumentsBeforeAnyRequestComes(t *testing.T) {
	one, other := issuertest.New(t, keyA), issuertest.New(t, keyB)
	policy := policyOf(one.Entry("one"), other.Entry("other"))
	gate := newGate(t, newClock(), policy, WithInstances(4))
	isRead := func() {
		t.Helper()
		pool := gate.inForce.Load().pool
		want(t, "instances", len(pool.readers()), 4)
		for _, r := range pool.readers() {
			if err := pool.callThis(t.Context(), r, func(r *reader) error {
				want(t, "has news", pool.journals.hasUnread(r), false)
				want(t, "journals", len(r.journals), 2)
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	isRead()
	if err := gate.Reload(t.Context(), []byte(text(policy))); err != nil {
		t.Fatal(err)
	}
	isRead()
}

// The pool alternates between calls that deliver a document to one instance and
// calls that need any instance.
func TestRequestsAreDecidedBetweenTheSlicesOfADocument(t *testing.T) {
	policy := text(policyOf(issuertest.New(t, keyA).Entry("platform")))
	pool, err := openPool(t.Context(), newSettings([]Option{WithInstances(1)}), policy, newTasks())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.retire()
	r := pool.readers()[0]
	if err := pool.takeThis(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var turns []string
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			_ = pool.callThis(t.Context(), r, func(*reader) error { turns = append(turns, "slice"); return nil })
		})
		all.Go(func() {
			_ = pool.call(t.Context(), func(*reader) error { turns = append(turns, "request"); return nil })
		})
		eventually(t, "both wait", func() bool {
			pool.mu.Lock()
			defer pool.mu.Unlock()
			return r.queue.Len() == i+1 && pool.queue.Len() == i+1
		})
	}
	pool.giveBack(r)
	all.Wait()
	want(t, "turns", text(turns), text([]string{"slice", "request", "slice", "request", "slice", "request", "slice", "request"}))
}

func TestACallThatLeavesAQueueLosesNoInstance(t *testing.T) {
	gate := newGate(t, newClock(), policyOf(issuertest.New(t, keyA).Entry("platform")), WithInstances(1))
	pool := gate.inForce.Load().pool
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := contextOf(t, time.Duration(i%5)*100*time.Microsecond)
			defer cancel()
			_ = pool.call(ctx, func(*reader) error { time.Sleep(50 * time.Microsecond); return nil })
			_ = pool.callThis(ctx, pool.readers()[0], func(*reader) error { time.Sleep(50 * time.Microsecond); return nil })
		})
	}
	all.Wait()
	eventually(t, "it is free", func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.free) == 1 && pool.queue.Len() == 0 && pool.free[0].queue.Len() == 0
	})
}
