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

// What the host does when the module dies or asks too much, with a module
// made for it, as the sealed one is not known to do so. It answers everything
// with zeros, which is a gate that allows everything, except: a target that
// starts with `/t` traps, with `/w` waits for document 7. A document that
// begins with `u` takes four slices, one with `o` is outdated, any other one
// traps. wat2wasm makes it of the text beside it.
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
		want(t, "next", ask(t, gate, "/", ""), "allow")
	}
}

func TestTrapsOfManyRequestsAtOnceLeaveAWholePool(t *testing.T) {
	gate := faultyGate(t, WithInstances(3))
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			target, code := "/", "allow"
			if i%2 == 0 {
				target, code = "/trap", "internal_error"
			}
			want(t, target, ask(t, gate, target, ""), code)
		})
	}
	all.Wait()
	eventually(t, "every instance is replaced", func() bool { return len(gate.inForce.Load().pool.readers()) == 3 })
}

func TestADocumentOnWhichTheModuleDiesIsAFailedFetch(t *testing.T) {
	gate := faultyGate(t, WithHTTPClient(nobody))
	want(t, "code", ask(t, gate, "/wait", ""), "keys_unavailable")
	want(t, "next", ask(t, gate, "/", ""), "allow")
}

// nobody is a client that reaches no server.
var nobody = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
})}

// serves is a client to which every document is this text.
func serves(text string) *http.Client {
	return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text))}, nil
	})}
}

// documentOf waits until the fetch of the document has ended.
func documentOf(t *testing.T, gate *Gate) kept {
	t.Helper()
	want(t, "code", ask(t, gate, "/wait", ""), "keys_unavailable")
	journal := gate.inForce.Load().pool.journals.of("x")
	journal.writing.Lock()
	defer journal.writing.Unlock()
	if document, ok := journal.documents[7]; ok {
		return *document
	}
	return kept{}
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

func TestInstancesThatDieBetweenSlicesAreNoFailureOfTheDocument(t *testing.T) {
	gate := faultyGate(t, WithInstances(2), WithHTTPClient(serves("unfinished")))
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() { want(t, "trap", ask(t, gate, "/trap", ""), "internal_error") })
	}
	document := documentOf(t, gate)
	all.Wait()
	want(t, "failures", len(document.failures), 0)
	eventually(t, "all have read it", func() bool {
		pool := gate.inForce.Load().pool
		readers, hasNews := pool.readers(), false
		for _, r := range readers {
			_ = pool.callThis(t.Context(), r, func(r *reader) error { hasNews = hasNews || pool.journals.hasNews(r); return nil })
		}
		return len(readers) == 2 && !hasNews
	})
}

func TestAnOutdatedDocumentChangesNothing(t *testing.T) {
	gate := faultyGate(t, WithHTTPClient(serves("outdated")))
	document := documentOf(t, gate)
	want(t, "nothing is written", document.accepted == nil && len(document.failures) == 0, true)
	want(t, "next", ask(t, gate, "/", ""), "allow")
}

func TestAnInstanceThatIsDeadSaysSo(t *testing.T) {
	engine, err := compile(engineConfig{}, faulty)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := openIn(engine, "{}")
	if err != nil {
		t.Fatal(err)
	}
	instance.Close()
	_, err = instance.Check(Request{Target: "/"}, 0)
	if trap := (*Trap)(nil); !errors.As(err, &trap) {
		t.Errorf("%v is no trap", err)
	}
}

func TestAnArgumentForWhichThereIsNoRoomIsATrap(t *testing.T) {
	gate := faultyGate(t)
	want(t, "code", ask(t, gate, "/"+strings.Repeat("a", 60_000), ""), "internal_error")
	want(t, "next", ask(t, gate, "/", ""), "allow")
}
