package countersign

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

const opaqueToken = "opq_0123456789abcdef"

// legacy is an issuer with opaque tokens.
func legacy(issuer *issuertest.Issuer) object {
	return object{
		"name": "legacy", "audiences": []string{"api"},
		"introspection": object{
			"uri": issuer.URI + "/introspect", "insecure_http": true, "prefix": []string{"opq_"},
			"client": object{"id": "gate", "secret_from": "introspection"},
		},
	}
}

var introspectionSecret = WithSecrets(map[string]Secret{"introspection": SecretBytes([]byte("hunter2"))})

// active answers that a token is active.
func active(more object) http.HandlerFunc {
	answer := object{"active": true, "sub": "ada", "aud": "api", "scope": "read write", "exp": start.Unix() + 3600}
	for name, value := range more {
		answer[name] = value
	}
	return func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if r.Method != http.MethodPost || id != "gate" || secret != "hunter2" || !strings.HasPrefix(r.FormValue("token"), "opq_") {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		issuertest.Document(text(answer))(w, r)
	}
}

// hang never answers. Only after a body is read does net/http see that a client
// has gone.
func hang(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	neverAnswer(w, r)
}

func TestAnOpaqueTokenIsLookedUpOnceForAllInstances(t *testing.T) {
	issuer := issuertest.New(t)
	goOn := make(chan struct{})
	issuer.Answer("/introspect", func(w http.ResponseWriter, r *http.Request) { <-goOn; active(nil)(w, r) })
	gate := newGate(t, newClock(), policyOf(legacy(issuer)), introspectionSecret, WithInstances(4))
	var all sync.WaitGroup
	for range 60 {
		all.Go(func() { want(t, "code", check(t, gate, "/write", opaqueToken), "allow") })
	}
	eventually(t, "all wait", func() bool { return waiting(gate) == 60 })
	close(goOn)
	all.Wait()
	want(t, "look-ups", issuer.Requests("/introspect"), 1)
	for range 20 {
		want(t, "later", check(t, gate, "/write", opaqueToken), "allow")
		want(t, "a rule", check(t, gate, "/admin", opaqueToken), "scope_insufficient")
	}
	want(t, "at most one for each instance", issuer.Requests("/introspect") <= 4, true)
}

func TestTheAnswerDecides(t *testing.T) {
	for code, answer := range map[string]object{
		"token_inactive": {"active": false}, "token_expired": {"exp": start.Unix() - 3600}, "audience_mismatch": {"aud": "other"},
		"introspection_unavailable": {"active": "true"}, "proof_missing": {"cnf": object{"jkt": strings.Repeat("A", 43)}},
	} {
		issuer := issuertest.New(t)
		issuer.Answer("/introspect", active(answer))
		gate := newGate(t, newClock(), policyOf(legacy(issuer)), introspectionSecret)
		want(t, text(answer), check(t, gate, "/write", opaqueToken), code)
	}
}

func TestAServerThatLiesOrIsDownLetsNoTokenPass(t *testing.T) {
	elsewhere := issuertest.New(t)
	elsewhere.Answer("/introspect", active(nil))
	for name, serve := range map[string]http.HandlerFunc{
		"an error":            issuertest.Status(500),
		"no answer":           hang,
		"a closed connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"html":                issuertest.Document("<html>active: true</html>"),
		"nothing":             issuertest.Document(""),
		"two answers":         issuertest.Document(`{"active":true}{"active":true}`),
		"huge":                issuertest.Document(`{"active":true,"a":"` + strings.Repeat("a", 10<<20) + `"}`),
		"created":             func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); active(nil)(w, r) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URI+"/introspect", http.StatusTemporaryRedirect)
		},
		"its secret is asked": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(401)
		},
		"one byte a time": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			writer := gzip.NewWriter(w)
			_, _ = io.WriteString(writer, `{"active":true,"sub":"ada","aud":"api","exp":9999999999}`)
			_ = writer.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, works := issuertest.New(t), issuertest.New(t, keyA)
			issuer.Answer("/introspect", serve)
			var log lockedBuffer
			gate := newGate(t, newClock(), policyOf(legacy(issuer), works.Entry("works")), introspectionSecret,
				WithWait(500*time.Millisecond), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			began := time.Now()
			decision, err := gate.Check(t.Context(), to("/write", opaqueToken))
			want(t, "code", codeOf(decision, err), "introspection_unavailable")
			want(t, "status", decision.Denial.Status, 503)
			want(t, "retry", decision.Denial.RetryAfter > 0, true)
			want(t, "soon", time.Since(began) < 5*time.Second, true)
			want(t, "another issuer", check(t, gate, "/write", works.Token(keyA)), "allow")
			_ = gate.Close()
			want(t, "the reason is logged: "+log.String(), strings.Contains(log.String(), "a response is not available"), true)
			for _, secret := range []string{"hunter2", "0123456789", "Z2F0ZTpodW50ZXIy"} {
				want(t, secret+" in "+log.String(), strings.Contains(log.String(), secret), false)
			}
		})
	}
	want(t, "requests elsewhere", elsewhere.Requests("/introspect"), 0)
}

// The server hangs, and somebody sends many new tokens.
func TestAServerThatHangsTakesOnlyItsOwnPlaces(t *testing.T) {
	hangs, works := issuertest.New(t), issuertest.New(t, keyA)
	hangs.Answer("/introspect", hang)
	gate := newGate(t, newClock(), policyOf(legacy(hangs), works.Entry("works")), introspectionSecret, WithMaxWaiting(10), WithWait(2*time.Second))
	var all sync.WaitGroup
	var inTime atomic.Int64
	for i := range 200 {
		all.Go(func() {
			want(t, "code", check(t, gate, "/write", fmt.Sprintf("opq_%020d", i)), "introspection_unavailable")
		})
	}
	eventually(t, "the places are taken", func() bool { return waiting(gate) == 10 })
	for range 50 {
		began := time.Now()
		want(t, "another issuer", check(t, gate, "/write", works.Token(keyA)), "allow")
		if time.Since(began) < time.Second {
			inTime.Add(1)
		}
	}
	all.Wait()
	want(t, "in time", inTime.Load(), 50)
	// 50 a second are asked in each instance, however many come.
	want(t, fmt.Sprint(hangs.Requests("/introspect")), hangs.Requests("/introspect") <= 2*50, true)
}

func TestAHandlerChecksAnOpaqueTokenFurther(t *testing.T) {
	issuer := issuertest.New(t)
	issuer.Answer("/introspect", active(nil))
	policy := policyOf(legacy(issuer))
	policy["credentials"] = []object{{"cookie": "session"}}
	gate := newGate(t, newClock(), policy, introspectionSecret)
	for scope, status := range map[string]int{"write": 200, "admin": 403} {
		r := to("/write", "")
		r.Header.Set("Cookie", "a=0123456789abcdef0; session="+opaqueToken+"; b="+strings.Repeat("b", 40))
		want(t, scope, serve(gate.Middleware(RequireScopes(scope)(ok)), r).Code, status)
	}
}
