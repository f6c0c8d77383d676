package countersign

import (
	_ "embed"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the host does when the module dies or asks too much, with a module
// made for it, as the sealed one is not known to do so. It answers everything
// with zeros, which is a gate that allows everything, except: a target that
// starts with `/t` traps, with `/w` waits for document 7. Being supplied with
// a document traps too. wat2wasm makes it of the text beside it.
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
