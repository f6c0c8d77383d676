package countersign

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// Every way in which a handler may print or log these values by mistake.
func TestPrintedValuesContainNoTokenAndNoClaims(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	policy["forward"] = object{"x-auth-claims": "claims", "x-auth-subject": "subject"}
	gate := newGate(t, newClock(), policy)
	token := issuer.Token(keyA)
	allowed, err := gate.Check(t.Context(), to("/write?access_token="+token, token))
	if err != nil {
		t.Fatal(err)
	}
	denied, _ := gate.Check(t.Context(), to("/admin", token))
	inspection, err := gate.Inspect(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := OpenInstance(t.Context(), []byte(text(policy)))
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	request := requestOf(to("/write?access_token="+token, token), gate.inForce.Load().reads)
	// Also as fields of other structs.
	type held struct {
		D any
		P *Decision
		L []Grant
	}
	things := map[string]any{
		"gate": gate, "instance": instance, "decision": allowed, "denied": denied, "pointer to a decision": &allowed,
		"grant": allowed.Grant, "grant's value": *allowed.Grant, "principal": allowed.Grant.Principal,
		"principal's value": *allowed.Grant.Principal, "denial": denied.Denial, "answer": Answer{Decision: allowed},
		"request": request, "headers": request.Headers, "inspection": inspection,
		"outgoing": Outgoing{URI: "https://a?" + token, Headers: []Header{{"authorization", token}}, Body: []byte(token)},
		"held":     held{allowed, &allowed, []Grant{*allowed.Grant}}, "nothing": (*Grant)(nil),
	}
	var log lockedBuffer
	loggers := []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))}
	for name, thing := range things {
		var said strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			fmt.Fprintf(&said, verb+"\n", thing)
		}
		fmt.Fprintln(&said, thing)
		for _, secret := range []string{token, token[len(token)-20:], fmt.Sprintf("%x", token[:20]), "ada", "acme", "read write"} {
			if strings.Contains(said.String(), secret) {
				t.Errorf("%s: %q is printed:\n%s", name, secret, &said)
			}
		}
	}
	for _, logger := range loggers {
		logger.Info("careless", "gate", gate, "decision", allowed, "denied", denied, "grant", allowed.Grant,
			"principal", allowed.Grant.Principal, "denial", denied.Denial, "error", denied.Denial, "nothing", (*Grant)(nil))
	}
	for _, secret := range []string{token[len(token)-20:], "ada", "acme", "panic"} {
		want(t, secret, strings.Contains(log.String(), secret), false)
	}
	want(t, "issuer", strings.Contains(log.String(), "platform"), true)
	want(t, "grant", fmt.Sprint(allowed), `countersign.Decision{allow countersign.Grant{countersign.Principal{issuer: "platform", token type: ""}}}`)
}

func TestTheGrantCacheIsBoundedInBytes(t *testing.T) {
	var kept grants
	big := strings.Repeat("c", 40_000)
	for number := range uint64(5000) {
		kept.keep(number+1, &Grant{Principal: &Principal{Claims: big}})
		bytes := 0
		if number%500 == 0 {
			for _, place := range kept.places {
				if place.grant != nil {
					bytes += place.grant.bytes()
				}
			}
			want(t, "bytes are counted", kept.bytes, bytes)
		}
		if kept.bytes > grantBytes {
			t.Fatalf("%d bytes", kept.bytes)
		}
	}
	want(t, "the newest is kept", kept.find(5000) != nil && kept.find(4950) != nil, true)
	want(t, "the oldest is not", kept.find(4900) == nil, true)
	kept.keep(6000, &Grant{Principal: &Principal{Claims: strings.Repeat("c", grantBytes+1)}})
	want(t, "one that is too large", kept.find(6000) == nil && kept.bytes == 0, true)
}
