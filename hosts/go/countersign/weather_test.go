package countersign

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestAfterTheClockIsSetBackRequestsAreDecided(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	policy := policyOf(issuer.Entry("platform"))
	gate := newGate(t, clock, policy)
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.forward(-8 * time.Hour)
	want(t, "a token of before", check(t, gate, "/write", issuer.Token(keyA, object{"iat": start.Unix() - 9*3600})), "allow")
	// After ten minutes the gate's own timer refreshes the keys, without a
	// request.
	issuer.Publish(keyB)
	asked := issuer.Requests("/jwks")
	clock.forward(11 * time.Minute)
	eventually(t, "the keys are requested again", func() bool { return issuer.Requests("/jwks") > asked })
	eventually(t, "and there", func() bool {
		return check(t, gate, "/write", issuer.Token(keyB, object{"iat": start.Unix() - 9*3600})) == "allow"
	})
	want(t, "what was withdrawn is gone", check(t, gate, "/write", issuer.Token(keyA, object{"iat": start.Unix() - 9*3600})), "key_unknown")
}

// Discovery gives a new address while a fetch from the old address is in
// progress. That fetch then ends last, or first.
func TestKeysFromAnOldAddressDoNotDelayTheNewKeys(t *testing.T) {
	for _, isLast := range []bool{true, false} {
		clock, issuer := newClock(), issuertest.New(t, keyA)
		discovery := func(path string) http.HandlerFunc {
			return issuertest.Document(text(object{"issuer": issuer.URI, "jwks_uri": issuer.URI + path}))
		}
		issuer.Answer("/.well-known/openid-configuration", discovery("/jwks"))
		entry := issuer.Entry("platform")
		entry["keys"] = object{"discovery": true, "insecure_http": true}
		gate := newGate(t, clock, policyOf(entry), WithInstances(3), WithWait(5*time.Second))
		if err := gate.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "before", check(t, gate, "/write", issuer.Token(keyA)), "allow")

		mayFinish := make(chan struct{})
		old := issuertest.Document(issuertest.JWKS(t, keyA))
		issuer.Answer("/jwks", func(w http.ResponseWriter, r *http.Request) { <-mayFinish; old(w, r) })
		issuer.Answer("/new", issuertest.Document(issuertest.JWKS(t, keyB)))
		asked := issuer.Requests("/jwks")
		// Both documents are due. The new address is served only after the
		// fetch from the old address has started, because otherwise it would
		// not start.
		moved := discovery("/new")
		issuer.Answer("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
			for issuer.Requests("/jwks") == asked && r.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			moved(w, r)
		})
		clock.forward(time.Hour)
		var all sync.WaitGroup
		all.Go(func() { _ = gate.Warm(t.Context()) })
		eventually(t, "the old address is requested", func() bool { return issuer.Requests("/jwks") > asked })
		// A request that comes before would wait for the fetch from the old address.
		eventually(t, "the new address is known", func() bool {
			status, err := gate.Status(t.Context())
			return err == nil && slices.ContainsFunc(status.Documents, func(d DocumentStatus) bool { return strings.HasSuffix(d.URI, "/new") })
		})
		if !isLast {
			close(mayFinish)
		}
		began := time.Now()
		eventually(t, "the new key is good", func() bool {
			if check(t, gate, "/write", issuer.Token(keyB)) == "allow" {
				return true
			}
			clock.forward(31 * time.Second)
			return false
		})
		// This is shorter than the timeout of the fetch from the old address.
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
		if isLast {
			close(mayFinish)
		}
		all.Wait()
		for range 6 {
			want(t, "and stays so in every instance", check(t, gate, "/write", issuer.Token(keyB)), "allow")
			want(t, "the old one is gone", check(t, gate, "/write", issuer.Token(keyA)), "key_unknown")
		}
		late, err := gate.inForce.Load().pool.fresh()
		if err != nil {
			t.Fatal(err)
		}
		own, err := late.instance.Status(uint64(clock.now().UnixMilli()))
		if err != nil {
			t.Fatal(err)
		}
		known, err := gate.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want(t, "status of an instance that is made later", text(own), text(known.Documents))
		late.instance.Close()
	}
}

// During an incident the list becomes longer than a list of keys may be.
func TestALongListOfRevocationsIsReadWhileRequestsAreDecided(t *testing.T) {
	clock, issuer := newClock(), issuertest.New(t, keyA)
	list := func(entries int, more string) string {
		var jti strings.Builder
		for i := range entries {
			fmt.Fprintf(&jti, `"revoked-%032d",`, i)
		}
		return `{"jti": [` + jti.String() + `"` + more + `"]}`
	}
	issuer.Answer("/revoked", issuertest.Document(list(10, "first")))
	entry := issuer.Entry("platform")
	entry["revocations"] = object{"uri": issuer.URI + "/revoked", "required": true, "insecure_http": true}
	gate := newGate(t, clock, policyOf(entry), WithInstances(2), WithWait(time.Minute))
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	good, gone := issuer.Token(keyA, object{"jti": "good"}), issuer.Token(keyA, object{"jti": "last"})
	want(t, "before", check(t, gate, "/write", gone), "allow")

	long := list(200_000, "last")
	issuer.Answer("/revoked", issuertest.Document(long))
	clock.forward(time.Hour)
	var decided, slowest atomic.Int64
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			began := time.Now()
			want(t, "meanwhile", check(t, gate, "/write", good), "allow")
			decided.Add(1)
			slowest.Store(max(slowest.Load(), time.Since(began).Microseconds()))
		}
	})
	err := gate.Warm(t.Context())
	close(done)
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes; %d requests were decided meanwhile, the slowest in %d µs", len(long), decided.Load(), slowest.Load())
	for range 4 {
		want(t, "after", check(t, gate, "/write", gone), "token_revoked")
		want(t, "others", check(t, gate, "/write", good), "allow")
	}

	issuer.Answer("/revoked", issuertest.Document(strings.Repeat(" ", 33<<20)))
	clock.forward(time.Hour)
	if err := gate.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "one that is too long leaves the last", check(t, gate, "/write", gone), "token_revoked")
}

func TestOfManyRequirementsTheLeastUsedAreForgotten(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")), WithInstances(1))
	token := issuer.Token(keyA)
	always := Require(`{"scopes":["read"]}`)
	for i := range 2500 {
		require := Require(fmt.Sprintf(`{"scopes":["scope-%d"]}`, i))
		want(t, string(require), codeOf(gate.Verify(t.Context(), token, require)), "scope_insufficient")
		if i%100 == 0 {
			want(t, "one that is used", codeOf(gate.Verify(t.Context(), token, always)), "allow")
		}
	}
	want(t, "one that was forgotten", codeOf(gate.Verify(t.Context(), token, `{"scopes":["scope-1"]}`)), "scope_insufficient")
	long := Require(`{"scopes":["read"]` + strings.Repeat(" ", requirementBytes) + `}`)
	want(t, "a long one", codeOf(gate.Verify(t.Context(), token, long)), "allow")
	_ = gate.inForce.Load().pool.call(t.Context(), func(r *reader) error {
		_, isKept := r.requirements.byText[long]
		want(t, "a long one is kept", isKept, false)
		want(t, "kept", len(r.requirements.byText), requirementsKept)
		want(t, "in order", r.requirements.order.Len(), requirementsKept)
		return nil
	})
}
