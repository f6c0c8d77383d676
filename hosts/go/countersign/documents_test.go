package countersign

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestManyRequestsAtOnceAreOneFetch(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/jwks", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		issuertest.Document(issuertest.JWKS(t, keyA))(w, r)
	})
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithInstances(3))
	token := issuer.Token(keyA)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() { want(t, "check", check(t, gate, "/write", token), "allow") })
	}
	all.Wait()
	want(t, "fetches", issuer.Requests("/jwks"), 1)
}

func TestAnInvalidKeyDocumentIsA503(t *testing.T) {
	elsewhere := issuertest.New(t, keyA)
	for name, serve := range map[string]http.HandlerFunc{
		"an error": issuertest.Status(500),
		"html":     issuertest.Document("<html>sign in to the hotel's network</html>"),
		"huge":     issuertest.Document(strings.Repeat(" ", 300_000)),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URI+"/jwks", http.StatusFound)
		},
		"compressed": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			issuertest.Document(issuertest.JWKS(t, keyA))(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock, issuer := newClock(), issuertest.New(t, keyA)
			issuer.Answer("/jwks", serve)
			gate := newGate(t, clock, policyOf(issuer.Entry("platform")))
			decision, _ := gate.Check(t.Context(), to("/write", issuer.Token(keyA)))
			want(t, "code", decision.Denial.Code, "keys_unavailable")
			want(t, "status", decision.Denial.Status, 503)
			if decision.Denial.RetryAfter < time.Second || decision.Denial.Challenge != "" {
				t.Errorf("%+v", decision.Denial)
			}

			issuer.Publish(keyA)
			clock.forward(time.Second)
			want(t, "after the repair", check(t, gate, "/write", issuer.Token(keyA)), "allow")
		})
	}
	want(t, "requests to another place", elsewhere.Requests("/jwks"), 0)
}

func TestTheWaitForAServerThatDoesNotAnswerIsBounded(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	leave := make(chan struct{})
	issuer.Answer("/jwks", func(http.ResponseWriter, *http.Request) { <-leave })
	defer close(leave)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithWait(50*time.Millisecond), WithMaxWaiting(1))
	want(t, "waits", check(t, gate, "/write", issuer.Token(keyA)), "keys_unavailable")
	want(t, "others need not", check(t, gate, "/healthz", ""), "allow")
}

func TestTheNumberOfWaitingRequestsIsBounded(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	leave := make(chan struct{})
	issuer.Answer("/jwks", func(http.ResponseWriter, *http.Request) { <-leave })
	defer close(leave)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithMaxWaiting(0), WithWait(time.Hour))
	want(t, "at once", check(t, gate, "/write", issuer.Token(keyA)), "keys_unavailable")
}

func TestAnotherKeyIsFetchedWhenATokenNamesIt(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	gate := newGate(t, clock, policyOf(issuer.Entry("platform")))
	want(t, "first", check(t, gate, "/write", issuer.Token(keyA)), "allow")
	issuer.Publish(keyB)
	want(t, "too early for another fetch", check(t, gate, "/write", issuer.Token(keyB)), "key_unknown")
	clock.forward(31 * time.Second)
	want(t, "rotated", check(t, gate, "/write", issuer.Token(keyB)), "allow")
	want(t, "withdrawn", check(t, gate, "/write", issuer.Token(keyA)), "key_unknown")
	want(t, "fetches", issuer.Requests("/jwks"), 2)
}

func TestCacheControlSaysHowLongKeysAreFresh(t *testing.T) {
	for _, test := range []struct {
		cacheControl []string
		after        time.Duration
		again        bool
	}{
		{[]string{"max-age=300"}, 239 * time.Second, false},
		{[]string{"max-age=300"}, 241 * time.Second, true},
		{[]string{"public", "max-age=300"}, 241 * time.Second, true},
		{nil, 241 * time.Second, false},
	} {
		clock, issuer := newClock(), issuertest.New(t, keyA)
		issuer.Answer("/jwks", func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Cache-Control"] = test.cacheControl
			issuertest.Document(issuertest.JWKS(t, keyA))(w, r)
		})
		gate := newGate(t, clock, policyOf(issuer.Entry("platform")), WithInstances(1))
		if err := gate.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.forward(test.after)
		if err := gate.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, strings.Join(test.cacheControl, ", ")+" after "+test.after.String(), issuer.Requests("/jwks") > 1, test.again)
	}
}

func TestAnIssuerThatComesBackIsNoticedWithoutARequest(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/jwks", issuertest.Status(503))
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithClock(time.Now))
	eventually(t, "the keys are requested", func() bool { return issuer.Requests("/jwks") > 0 })
	issuer.Publish(keyA)
	eventually(t, "the keys are there", func() bool {
		status, err := gate.Status(t.Context())
		return err == nil && status.Documents[0].Usable && status.Documents[0].Loaded
	})
}

func TestDiscoveryLeadsToTheKeys(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/.well-known/openid-configuration",
		issuertest.Document(text(object{"issuer": issuer.URI, "jwks_uri": issuer.URI + "/jwks"})))
	entry := issuer.Entry("platform")
	entry["keys"] = object{"discovery": true, "insecure_http": true}
	gate := newGate(t, newClock(), policyOf(entry))
	want(t, "check", check(t, gate, "/write", issuer.Token(keyA)), "allow")
}

func TestLogsContainNoSecret(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	issuer.Answer("/jwks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	entry := issuer.Entry("platform")
	entry["keys"] = object{"jwks_uri": issuer.URI + "/jwks?apikey=hunter2", "insecure_http": true}
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gate := newGate(t, newClock(), policyOf(entry), WithLogger(logger))
	token := issuer.Token(keyA)
	served := serve(gate.Middleware(http.NotFoundHandler()), to("/write", token))
	want(t, "status", served.Code, 503)
	issuer.Publish(keyA)
	decision, err := gate.Verify(t.Context(), token, "")
	logger.Info("a careless handler", "decision", decision.Grant, "denial", decision.Denial, "error", err)
	// The log of an admitted request contains no secret either.
	calm := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	decision, err = calm.Verify(t.Context(), token, "")
	logger.Info("another", "grant", decision.Grant, "principal", decision.Grant.Principal, "denial", decision.Denial, "error", err)
	text := log.String()
	for _, secret := range []string{"hunter2", token, token[len(token)-20:], "ada", "acme"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log:\n%s", secret, text)
		}
	}
	want(t, "panics of a careless handler", strings.Contains(text, "panic"), false)
	for _, word := range []string{"platform", "keys_unavailable", "a document is not available"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in the log:\n%s", word, text)
		}
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func TestAnInjectedClientIsUsedAndFollowsNoRedirect(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	entry := issuer.Entry("platform")
	entry["keys"] = object{"jwks_uri": "https://keys.example/jwks"}
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "keys.example" || r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			return nil, errors.New("another request than expected")
		}
		inner, err := http.NewRequestWithContext(r.Context(), r.Method, issuer.URI+"/jwks", nil)
		if err != nil {
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(inner)
	})}
	gate := newGate(t, newClock(), policyOf(entry), WithHTTPClient(client))
	want(t, "check", check(t, gate, "/write", issuer.Token(keyA)), "allow")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestALaterInstanceHasTheDocumentsOfTheOthers(t *testing.T) {
	clock, up, down := newClock(), issuertest.New(t, keyA), issuertest.New(t, keyA)
	down.Answer("/jwks", issuertest.Status(500))
	gate := newGate(t, clock, policyOf(up.Entry("up"), down.Entry("down")), WithInstances(1))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, err := gate.inForce.Load().pool.fresh()
	if err != nil {
		t.Fatal(err)
	}
	defer late.instance.Close()
	known, err := gate.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, err := late.instance.Status(uint64(clock.now().UnixMilli()))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "status", text(own), text(known.Documents))
	want(t, "usable", known.Documents[0].Usable && !known.Documents[1].Usable, true)
}
