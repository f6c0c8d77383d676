package countersign

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestADocumentThatAReloadTakesOverIsNoEvent(t *testing.T) {
	issuer, events := issuertest.New(t, keyA), recorded{}
	policy := policyOf(issuer.Entry("platform"))
	gate := newGate(t, newClock(), policy, events.options()...)
	want(t, "warm", gate.Warm(t.Context()), nil)
	policy["realm"] = "another"
	want(t, "reload", gate.Reload(t.Context(), []byte(text(policy))), nil)
	want(t, "code", check(t, gate, "/write", issuer.Token(keyA)), "allow")
	want(t, "requests", issuer.Requests("/jwks"), 1)
	events.mu.Lock()
	defer events.mu.Unlock()
	want(t, "events", len(events.documents), 1)
}

func TestEachFetchIsOneEvent(t *testing.T) {
	clock, issuer, events := newClock(), issuertest.New(t, keyA), recorded{}
	policy := policyOf(issuer.Entry("platform"))
	gate := newGate(t, clock, policy, events.options()...)
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	digest, err := PolicyDigest([]byte(text(policy)))
	want(t, "a digest", err, nil)
	want(t, "accepted", text(events.documents), `[{"kind":"jwks","issuer":"platform","outcome":"accepted","age_ms":0,"mode":"enforced","policy_digest":"`+digest+`","used":1,"skipped":0}]`)
	for _, test := range []struct {
		serve http.HandlerFunc
		want  string
	}{
		{issuertest.Status(503), `"outcome":"failed","reason":"status","detail":"503"`},
		{issuertest.Document(`{"keys":[{"kty":"secret-of-the-document"}]}`), `"outcome":"refused","reason":"refused","detail":"`},
		{http.RedirectHandler("https://elsewhere.example", http.StatusFound).ServeHTTP, `"outcome":"failed","reason":"redirect","detail":"302"`},
		{issuertest.Document(strings.Repeat(" ", 10<<20)), `"outcome":"failed","reason":"too_large"`},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, `"outcome":"failed","reason":"connection"`},
	} {
		issuer.Answer("/jwks", test.serve)
		clock.forward(time.Hour)
		before := len(events.documents)
		eventually(t, test.want, func() bool {
			events.mu.Lock()
			defer events.mu.Unlock()
			return len(events.documents) > before
		})
		event, _ := events.lastDocument(KindJWKS)
		want(t, test.want+" in "+text(event), strings.Contains(text(event), test.want), true)
		want(t, "the age of the document in force", *event.AgeMS >= 3_600_000, true)
		want(t, "bytes of the document", strings.Contains(text(event), "secret-of"), false)
	}
}

func TestAFailureHasItsReason(t *testing.T) {
	secured := func(config *tls.Config) *httptest.Server {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS, server.Config.ErrorLog = config, log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	secure := secured(nil)
	old := secured(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	slow := httptest.NewServer(http.HandlerFunc(neverAnswer))
	defer slow.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	client := documentClient(&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "unknown.example") {
				return nil, &net.DNSError{Err: "no such host", Name: "unknown.example", IsNotFound: true}
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}})
	for uri, reason := range map[string]DocumentReason{
		secure.URL: ReasonTLS,
		old.URL:    ReasonTLS,
		strings.Replace(plain.URL, "p:", "ps:", 1): ReasonTLS,
		slow.URL:                         ReasonTimeout,
		"http://" + gone.Addr().String(): ReasonConnection,
		"https://unknown.example":        ReasonDNS,
		plain.URL:                        ReasonStatus,
	} {
		s := newSettings(nil)
		s.client, s.logger = client, slog.New(slog.DiscardHandler)
		timeout := 20 * time.Second
		if reason == ReasonTimeout {
			timeout = 300 * time.Millisecond
		}
		_, failed := s.fetch(t.Context(), Fetch{URI: uri, Timeout: timeout, MaxBytes: 10})
		want(t, uri, failed != nil && failed.reason == reason, true)
	}
	wrapped := fmt.Errorf("get: %w", &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")})
	want(t, "an alert", failureOf(wrapped).reason, ReasonTLS)
}
