package countersign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The faulty module asks for a request if the target begins with `/r`, until it
// is responded to: see testdata/faulty.wat.

func client(answer func(r *http.Request) (*http.Response, error)) Option {
	return WithHTTPClient(&http.Client{Transport: roundTrip(answer)})
}

func answers(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {"https://other.example"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestARequestIsSentAsTheModuleSays(t *testing.T) {
	var sent string
	gate := faultyGate(t, client(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		_, hasDeadline := r.Context().Deadline()
		sent = fmt.Sprint(r.Method, " ", r.URL, " ", r.Header["Content-Type"], " ", string(body), " ", hasDeadline, err)
		return answers(200, "{}")
	}))
	want(t, "code", check(t, gate, "/r", ""), "allow")
	want(t, "sent", sent, "POST https://as.example/a?b [text/x] token=secret true <nil>")
}

func TestAnUnusableResponseDenies(t *testing.T) {
	for name, answer := range map[string]func() (*http.Response, error){
		"no connection":  func() (*http.Response, error) { return nil, errors.New("refused") },
		"a long body":    func() (*http.Response, error) { return answers(200, strings.Repeat("a", 1001)) },
		"no body at all": func() (*http.Response, error) { return answers(200, "") }, // the faulty module traps
	} {
		var logged bytes.Buffer
		gate := faultyGate(t, WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
			client(func(*http.Request) (*http.Response, error) { return answer() }))
		want(t, name, check(t, gate, "/r", ""), "introspection_unavailable")
		want(t, name+", the next", check(t, gate, "/", ""), "allow")
		want(t, "in the log: "+logged.String(), strings.Contains(logged.String(), "secret") || strings.Contains(logged.String(), "a?b"), false)
		want(t, "something in the log", logged.Len() > 0, true)
	}
}

func TestARedirectOfARequestIsNotFollowed(t *testing.T) {
	gate := faultyGate(t, client(func(r *http.Request) (*http.Response, error) {
		want(t, "host", r.URL.Host, "as.example")
		return answers(307, "")
	}))
	// The faulty module dies of an empty body.
	want(t, "code", check(t, gate, "/r", ""), "introspection_unavailable")
}

func TestOneRequestIsSharedByAllThatWaitForIt(t *testing.T) {
	var sent atomic.Int64
	goOn := make(chan struct{})
	gate := faultyGate(t, client(func(*http.Request) (*http.Response, error) {
		sent.Add(1)
		<-goOn
		return answers(200, "{}")
	}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { want(t, "code", check(t, gate, "/r", ""), "allow") })
	}
	generation := gate.inForce.Load()
	eventually(t, "all wait", func() bool {
		generation.waitLimits.mu.Lock()
		defer generation.waitLimits.mu.Unlock()
		return generation.waitLimits.waiting["x"] == 8
	})
	close(goOn)
	all.Wait()
	want(t, "requests", sent.Load(), 1)
}

// Each instance asks for itself, and gets the response to the one request.
func TestOneRequestIsSharedByAllInstances(t *testing.T) {
	var sent atomic.Int64
	goOn := make(chan struct{})
	gate := faultyGate(t, WithInstances(4), client(func(*http.Request) (*http.Response, error) {
		sent.Add(1)
		<-goOn
		return answers(200, "{}")
	}))
	generation := gate.inForce.Load()
	var all sync.WaitGroup
	for _, asked := range generation.pool.readers() {
		all.Go(func() {
			var responded, err error
			started, ok := generation.startRequest(Outgoing{Ticket: 9, Issuer: "x", Method: "POST", URI: "https://as.example/a", MaxBytes: 9, Timeout: time.Minute}, asked)
			want(t, "started", ok, true)
			<-started.done
			err = generation.pool.callThis(t.Context(), asked, func(r *reader) (err error) {
				var answer Answer
				answer, responded = r.instance.Check(Request{Target: "/r"}, 0)
				want(t, "it has the response", answer.Allowed(), true)
				return nil
			})
			want(t, "error", err == nil && responded == nil, true)
		})
	}
	eventually(t, "all wait", func() bool { return len(generation.requests.list(func(string) bool { return true })) == 4 })
	close(goOn)
	all.Wait()
	want(t, "requests", sent.Load(), 1)
	want(t, "none is left", len(generation.flights.inFlight), 0)
}

func TestOnlyEqualRequestsShareAResponse(t *testing.T) {
	one := Outgoing{Ticket: 1, Method: "POST", URI: "https://a", Headers: []Header{{"a", "b"}, {"c", ""}}, Body: []byte("token=1"), MaxBytes: 9, Timeout: time.Second}
	hash := contentOf(one)
	same := one
	same.Ticket, same.Issuer = 2, "other"
	want(t, "another instance's", contentOf(same), hash)
	for name, change := range map[string]func(o *Outgoing){
		"a method":                  func(o *Outgoing) { o.Method = "GET" },
		"an address":                func(o *Outgoing) { o.URI = "https://b" },
		"a token":                   func(o *Outgoing) { o.Body = []byte("token=2") },
		"no headers":                func(o *Outgoing) { o.Headers = nil },
		"a credential":              func(o *Outgoing) { o.Headers = []Header{{"a", "c"}, {"c", ""}} },
		"a header in another":       func(o *Outgoing) { o.Headers = []Header{{"a", "bc"}, {"", ""}} },
		"a body that is a header":   func(o *Outgoing) { o.Body, o.Headers = []byte("token=1\x01a\x01b\x01c\x00"), nil },
		"another limit of its size": func(o *Outgoing) { o.MaxBytes = 8 },
		"another limit of its time": func(o *Outgoing) { o.Timeout = time.Minute },
	} {
		other := one
		change(&other)
		want(t, name, contentOf(other) == hash, false)
	}
}

// The server closes a connection that is idle at the moment when the next
// request is sent on it.
func TestARequestIsSentAgainIfAnIdleConnectionWasClosed(t *testing.T) {
	var connections, requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want(t, "body", string(body), "token=secret")
		want(t, "headers", fmt.Sprint(r.Header["Idempotency-Key"]), "[]")
		if requests.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	settings := newSettings([]Option{WithLogger(slog.New(slog.DiscardHandler))})
	request := Outgoing{Method: "POST", URI: server.URL, Body: []byte("token=secret"), MaxBytes: 100, Timeout: 10 * time.Second}
	for range 3 {
		response := settings.send(t.Context(), request)
		want(t, "response", response != nil && response.Status == 200, true)
	}
	want(t, "requests", requests.Load(), 4)
	want(t, "connections", connections.Load(), 2)
}

// Only the instance that asked takes the response, so it checks again.
func TestTheInstanceThatAskedChecksAgain(t *testing.T) {
	var sent atomic.Int64
	gate := faultyGate(t, WithInstances(4), client(func(*http.Request) (*http.Response, error) {
		sent.Add(1)
		return answers(200, "{}")
	}))
	want(t, "code", check(t, gate, "/r", ""), "allow")
	want(t, "requests", sent.Load(), 1)
}

// What the faulty module asks about targets that begin with `/s` has no end,
// and with `/v` the module dies of the answer.
func TestAModuleThatBreaksDuringAVerificationDenies(t *testing.T) {
	counted := &counter{}
	gate := faultyGate(t, counted.option())
	for _, target := range []string{"/s", "/v"} {
		want(t, target, check(t, gate, target, ""), "internal_error")
		want(t, "the next", check(t, gate, "/", ""), "allow")
	}
	want(t, "asked", counted.verified.Load(), questionRounds+1)
	want(t, "unasked", check(t, faultyGate(t), "/s", ""), "internal_error")
}
