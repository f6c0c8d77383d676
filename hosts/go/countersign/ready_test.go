package countersign

import (
	"net/http"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func probe(gate *Gate) int { return serve(gate.ReadyHandler(), to("/readyz", "")).Code }

func TestAGateIsReadyWhenItsDocumentsCameOnce(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	issuer.Answer("/jwks", issuertest.Status(503))
	gate := newGate(t, clock, policyOf(issuer.Entry("platform")), WithClock(time.Now))
	eventually(t, "the keys are requested", func() bool { return issuer.Requests("/jwks") > 0 })
	want(t, "before", gate.Ready(), false)
	want(t, "a probe", probe(gate), 503)
	body := serve(gate.ReadyHandler(), to("/readyz", "")).Body.String()
	want(t, "what is missing", body, `{"ready":false,"missing":[{"issuer":"platform","kind":"jwks"}]}`+"\n")
	status, err := gate.Status(t.Context())
	want(t, "status", err == nil && !status.Ready && status.Documents[0].Needed, true)
	issuer.Publish(keyA)
	eventually(t, "it is ready", gate.Ready)
	want(t, "a probe", probe(gate), 200)
	body = serve(gate.ReadyHandler(), to("/readyz", "")).Body.String()
	want(t, "body", body, "{\"ready\":true}\n")

	issuer.Answer("/jwks", issuertest.Status(503))
	clock.forward(24 * time.Hour)
	_ = gate.Warm(t.Context())
	want(t, "it stays ready", gate.Ready(), true)
	_ = gate.Close()
	want(t, "closed", gate.Ready(), false)
	body = serve(gate.ReadyHandler(), to("/readyz", "")).Body.String()
	want(t, "closed", body, "{\"ready\":false,\"missing\":[]}\n")
}

func TestAPolicyThatNeedsNoDocumentIsReadyAtOnce(t *testing.T) {
	gate := newGate(t, newClock(), policyOf(inlineKeys(t)))
	want(t, "ready", gate.Ready(), true)
}

func TestNewWaitsUntilTheGateIsReadyIfItMay(t *testing.T) {
	for _, inline := range []bool{false, true} {
		issuer := issuertest.New(t, keyA)
		issuer.Answer("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(50 * time.Millisecond)
			issuertest.Document(text(object{"issuer": issuer.URI, "jwks_uri": issuer.URI + "/jwks"}))(w, r)
		})
		entry := issuer.Entry("platform")
		entry["keys"] = object{"discovery": true, "insecure_http": true}
		options := []Option{WithReadyWait(20 * time.Second)}
		if inline {
			options = append(options, WithInlineRefresh())
		}
		gate := newGate(t, newClock(), policyOf(entry), options...)
		want(t, "ready", gate.Ready(), true)
		want(t, "status", probe(gate), 200)

		issuer.Answer("/jwks", issuertest.Status(500))
		began := time.Now()
		gate = newGate(t, newClock(), policyOf(entry), append(options, WithReadyWait(200*time.Millisecond))...)
		want(t, "not ready", gate.Ready(), false)
		want(t, "bounded", time.Since(began) < 5*time.Second, true)
	}
}

// A policy of a reload needs its own documents.
func TestAfterAReloadTheNewPolicyHasToBeReady(t *testing.T) {
	issuer, down := issuertest.New(t, keyA), issuertest.New(t)
	down.Answer("/jwks", issuertest.Status(503))
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithReadyWait(10*time.Second), WithWait(200*time.Millisecond))
	want(t, "before", gate.Ready(), true)
	if err := gate.Reload(t.Context(), []byte(text(policyOf(issuer.Entry("platform"), down.Entry("down"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "after", gate.Ready(), false)
	if err := gate.Reload(t.Context(), []byte(text(policyOf(issuer.Entry("other"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "with documents that were there", gate.Ready(), true)
}
