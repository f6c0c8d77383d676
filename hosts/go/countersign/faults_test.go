package countersign

import (
	_ "embed"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// faulty is a module that traps, to test the host: the sealed module is not
// known to trap. It answers every call with zeros, which means that it allows
// every request, with these exceptions. A target that begins with `/t` traps,
// and one with `/w` waits for document 7. A document that begins with `u` takes
// four slices, one with `o` is outdated, and any other one traps. wat2wasm makes
// it from faulty.wat.
//
//go:embed testdata/faulty.wasm
var faulty []byte

func faultyGate(t *testing.T, options ...Option) *Gate {
	t.Helper()
	engine, err := compile(engineConfig{}, faulty)
	if err != nil {
		t.Fatal(err)
	}
	module := func(s *settings) { s.module = engine }
	return newGate(t, newClock(), object{}, append([]Option{module, WithInstances(1)}, options...)...)
}

func TestATrapDeniesTheRequestAndTheNextOneIsDecided(t *testing.T) {
	gate := faultyGate(t)
	for range 3 {
		decision, err := gate.Check(t.Context(), to("/trap", ""))
		want(t, "trap", codeOf(decision, err), "internal_error")
		want(t, "status", decision.Denial.Status, 503)
		want(t, "retry", decision.Denial.RetryAfter, time.Second)
		want(t, "next", check(t, gate, "/", ""), "allow")
	}
}

func TestThePoolIsCompleteAfterManyTraps(t *testing.T) {
	gate := faultyGate(t, WithInstances(3))
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			target, code := "/", "allow"
			if i%2 == 0 {
				target, code = "/trap", "internal_error"
			}
			want(t, target, check(t, gate, target, ""), code)
		})
	}
	all.Wait()
	eventually(t, "every instance is replaced", func() bool { return len(gate.inForce.Load().pool.readers()) == 3 })
}

func TestADocumentOnWhichTheModuleDiesIsAFailedFetch(t *testing.T) {
	gate := faultyGate(t, WithHTTPClient(unreachable))
	want(t, "code", check(t, gate, "/wait", ""), "keys_unavailable")
	want(t, "next", check(t, gate, "/", ""), "allow")
}

// unreachable is a client whose requests all fail.
var unreachable = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
	return nil, errors.New("no server")
})}

// serves returns a client that gets this text for every document.
func serves(text string) *http.Client {
	return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text))}, nil
	})}
}

// documentOf returns the history of document 7 after its fetch has ended.
func documentOf(t *testing.T, gate *Gate) documentHistory {
	t.Helper()
	want(t, "code", check(t, gate, "/wait", ""), "keys_unavailable")
	journal := gate.inForce.Load().pool.journals.of("x")
	journal.writing.Lock()
	defer journal.writing.Unlock()
	if document, ok := journal.documents[7]; ok {
		return *document
	}
	return documentHistory{}
}

func TestADocumentIsReadInSlicesByEveryInstance(t *testing.T) {
	gate := faultyGate(t, WithInstances(3), WithHTTPClient(serves("unfinished")))
	document := documentOf(t, gate)
	want(t, "accepted", document.accepted != nil && len(document.failures) == 0, true)
	pool := gate.inForce.Load().pool
	for _, r := range pool.readers() {
		err := pool.callThis(t.Context(), r, func(r *reader) error {
			progress := r.progress(pool.journals.of("x"))
			want(t, "it has read it to its end", progress.read >= document.accepted.number && progress.reading == nil, true)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAnInstanceThatDiesBetweenSlicesDoesNotFailTheDocument(t *testing.T) {
	gate := faultyGate(t, WithInstances(2), WithHTTPClient(serves("unfinished")))
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() { want(t, "trap", check(t, gate, "/trap", ""), "internal_error") })
	}
	document := documentOf(t, gate)
	all.Wait()
	want(t, "failures", len(document.failures), 0)
	eventually(t, "all have read it", func() bool {
		pool := gate.inForce.Load().pool
		readers, hasUnread := pool.readers(), false
		for _, r := range readers {
			_ = pool.callThis(t.Context(), r, func(r *reader) error { hasUnread = hasUnread || pool.journals.hasUnread(r); return nil })
		}
		return len(readers) == 2 && !hasUnread
	})
}

func TestAnOutdatedDocumentChangesNothing(t *testing.T) {
	gate := faultyGate(t, WithHTTPClient(serves("outdated")))
	document := documentOf(t, gate)
	want(t, "nothing is written", document.accepted == nil && len(document.failures) == 0, true)
	want(t, "next", check(t, gate, "/", ""), "allow")
}

func TestADeadInstanceReturnsATrap(t *testing.T) {
	engine, err := compile(engineConfig{}, faulty)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := providerOf(Module)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := openIn(engine, "{}", provider, nil)
	if err != nil {
		t.Fatal(err)
	}
	instance.Close()
	_, err = instance.Check(Request{Target: "/"}, 0)
	if trap := (*Trap)(nil); !errors.As(err, &trap) {
		t.Errorf("%v is no trap", err)
	}
}

func TestAnArgumentThatDoesNotFitIsATrap(t *testing.T) {
	gate := faultyGate(t)
	want(t, "code", check(t, gate, "/"+strings.Repeat("a", 60_000), ""), "internal_error")
	want(t, "next", check(t, gate, "/", ""), "allow")
}
