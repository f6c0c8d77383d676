package countersign

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The faulty module asks whether a proof is used for the first time if the
// target begins with `/p`; the letter behind it is a part of the proof's id. It
// denies a proof that was used with the code `used` and a nonce, and one that
// could not be recorded with `lost`: see testdata/faulty.wat.

// ownTable lets a gate record proofs in a table for one test.
func ownTable(table *proofTable) Option { return func(s *settings) { s.proofTable = table } }

// A store is a ProofStore for tests.
type store func(ctx context.Context, proof Proof) (bool, error)

func (s store) FirstUse(ctx context.Context, proof Proof) (bool, error) { return s(ctx, proof) }

// storeOf returns a store that keeps proofs, and counts its calls.
func storeOf(calls *atomic.Int64) store {
	table := newProofTable(1000, 1000)
	return func(_ context.Context, proof Proof) (bool, error) {
		calls.Add(1)
		return table.enter(proof, start)
	}
}

func TestAProofPassesOnceInAllGatesOfTheProcess(t *testing.T) {
	table := newProofTable(1000, 1000)
	one, other := faultyGate(t, ownTable(table), WithInstances(3)), faultyGate(t, ownTable(table))
	want(t, "first", check(t, one, "/pa", ""), "allow")
	for _, gate := range []*Gate{one, other} {
		want(t, "again", check(t, gate, "/pa", ""), "used")
	}
	want(t, "another one", check(t, other, "/pb", ""), "allow")
	want(t, "the other way round", check(t, one, "/pb", ""), "used")
}

func TestOfConcurrentRequestsWithOneProofOnePasses(t *testing.T) {
	gate := faultyGate(t, ownTable(newProofTable(1000, 1000)), WithInstances(4))
	server := httptest.NewServer(gate.Middleware(ok))
	defer server.Close()
	var passed, used atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			response, err := server.Client().Get(server.URL + "/pa")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			switch response.StatusCode {
			case 200:
				passed.Add(1)
			case 401:
				used.Add(1)
				want(t, "nonce", response.Header.Get("DPoP-Nonce"), "n-1")
				want(t, "caches", response.Header.Get("Cache-Control"), "no-store")
			}
		})
	}
	all.Wait()
	want(t, "passed", passed.Load(), 1)
	want(t, "used", used.Load(), 39)
}

func TestAFullTableDeniesAndIsLoggedOnceASecond(t *testing.T) {
	var logged lockedBuffer
	gate := faultyGate(t, ownTable(newProofTable(0, 0)), WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	for range 50 {
		want(t, "code", check(t, gate, "/pa", ""), "lost")
	}
	lines := strings.Count(logged.String(), errTableFull.Error())
	want(t, "lines: "+logged.String(), lines >= 1 && lines < 10, true)
	want(t, "without a proof", check(t, gate, "/", ""), "allow")
}

func TestAStoreThatFailsDenies(t *testing.T) {
	for name, store := range map[string]store{
		"an error": func(context.Context, Proof) (bool, error) { return true, errors.New("no route to the store") },
		"a panic":  func(context.Context, Proof) (bool, error) { panic("broken") },
		"no answer": func(ctx context.Context, _ Proof) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		},
	} {
		var logged lockedBuffer
		gate := faultyGate(t, WithProofStore(store), WithWait(100*time.Millisecond),
			WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
		decision, err := gate.Check(t.Context(), to("/pa", ""))
		code := codeOf(decision, err)
		want(t, name+": "+code, code == "lost" || name == "no answer" && code == "proofs_unavailable", true)
		want(t, "status", decision.Denial.Status, 503)
		eventually(t, "it is logged", func() bool { return strings.Contains(logged.String(), "a proof cannot be recorded") })
	}
}

// A client that goes away does not end the question: its proof is used.
func TestARequestThatEndsHasUsedItsProof(t *testing.T) {
	var calls atomic.Int64
	inner, mayAnswer := storeOf(&calls), make(chan struct{})
	gate := faultyGate(t, WithProofStore(store(func(ctx context.Context, proof Proof) (bool, error) {
		isFirst, err := inner(ctx, proof)
		<-mayAnswer
		want(t, "the store's context", ctx.Err(), nil)
		return isFirst, err
	})))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := gate.Check(ctx, to("/pa", ""))
		left <- err
	}()
	eventually(t, "the store is asked", func() bool { return calls.Load() == 1 })
	leave()
	want(t, "error", <-left, context.Canceled)
	close(mayAnswer)
	generation := gate.inForce.Load()
	eventually(t, "the answer has come", func() bool { return len(generation.proofs.list(func(string) bool { return true })) == 0 })
	// The module has the answer for the next check of the same proof.
	want(t, "the next", check(t, gate, "/pa", ""), "allow")
	want(t, "then", check(t, gate, "/pa", ""), "used")
}

// One store that hangs has waiting places of its own.
func TestAStoreThatHangsDelaysOnlyRequestsWithProofs(t *testing.T) {
	leave := make(chan struct{})
	defer close(leave)
	gate := faultyGate(t, WithMaxWaiting(1), WithWait(300*time.Millisecond), WithInstances(2), WithProofStore(
		store(func(context.Context, Proof) (bool, error) { <-leave; return false, errors.New("late") })))
	var all sync.WaitGroup
	all.Go(func() { want(t, "waits", check(t, gate, "/pa", ""), "proofs_unavailable") })
	eventually(t, "one waits", func() bool { return waiting(gate) == 1 })
	began := time.Now()
	want(t, "no place", check(t, gate, "/pb", ""), "proofs_unavailable")
	want(t, "at once", time.Since(began) < 250*time.Millisecond, true)
	want(t, "without a proof", check(t, gate, "/", ""), "allow")
	all.Wait()
}

func TestAnExplanationUsesNoProof(t *testing.T) {
	var calls atomic.Int64
	for _, signatures := range []Signatures{Module, Native} {
		gate := faultyGate(t, WithProofStore(storeOf(&calls)), WithSignatures(signatures))
		if _, err := gate.Explain(t.Context(), to("/pa", "")); err != nil {
			t.Fatal(err)
		}
		// What has been started ends first.
		_ = gate.Close()
		want(t, "calls", calls.Load(), 0)
	}
}

func TestAModuleThatNeverStopsAskingIsReplaced(t *testing.T) {
	gate := faultyGate(t)
	asks := func(*reader, uint64) (Answer, error) { return Answer{Proofs: []ProofQuestion{{Ticket: 1}}}, nil }
	var made outcome
	want(t, "error", gate.inForce.Load().decide(t.Context(), asks, &made), nil)
	want(t, "code", made.Denial.Code, "internal_error")
	want(t, "next", check(t, gate, "/", ""), "allow")
}
