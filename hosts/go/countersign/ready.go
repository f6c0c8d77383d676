package countersign

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// WithReadyWait makes [New] wait until the gate is ready ([Gate.Ready]), but at
// most for this time: then New returns the gate as it is, and logs that it is
// not ready. Without this option New does not wait.
func WithReadyWait(limit time.Duration) Option {
	return func(s *settings) { s.readyWait = limit }
}

// Ready reports whether every document that a rule of the policy in force can
// need was accepted once. Documents that the policy allows to be missing at the
// start do not count. It stays true until [Gate.Reload] puts a policy in force
// that needs further documents, or the gate closes.
func (g *Gate) Ready() bool {
	current := g.inForce.Load()
	return current != nil && current.isReady()
}

// ReadyHandler answers the probes of an orchestrator, usually at `/readyz`: 200
// with the body `{"ready":true}` if the gate is ready ([Gate.Ready]), else 503 with
// `{"ready":false,"missing":[{"issuer":"platform","kind":"jwks"}]}`. It names no
// address. Serve it in front of the gate.
func (g *Gate) ReadyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := readiness{Ready: g.Ready()}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !answer.Ready {
			answer.Missing = g.missing(r.Context())
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		// An error means that the client has disconnected.
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// readiness is the body of an answer to a probe. `missing` is absent only in that
// of a gate that is ready.
type readiness struct {
	Ready   bool             `json:"ready"`
	Missing *[]missingSource `json:"missing,omitempty"`
}

type missingSource struct {
	Issuer string       `json:"issuer"`
	Kind   DocumentKind `json:"kind"`
}

// missing lists the documents that the gate waits for. A closed gate knows none.
func (g *Gate) missing(ctx context.Context) *[]missingSource {
	missing := []missingSource{}
	// A closed gate has no status.
	status, _ := g.Status(ctx)
	for _, document := range status.Documents {
		if document.Needed && !document.Loaded {
			missing = append(missing, missingSource{document.Issuer, document.Kind})
		}
	}
	return &missing
}

func (g *generation) isReady() bool {
	select {
	case <-g.ready:
		return true
	default:
		return false
	}
}

// becomeReady tells those who wait. Only a change of documents can make a
// policy ready.
func (g *generation) becomeReady() { g.readyOnce.Do(func() { close(g.ready) }) }

// awaitReady waits at most as long as [WithReadyWait] says.
func (g *generation) awaitReady(ctx context.Context) error {
	if g.settings.readyWait <= 0 {
		return nil
	}
	limited, stop := context.WithTimeout(ctx, g.settings.readyWait)
	defer stop()
	if g.settings.inline {
		// No timer fetches what the first documents name.
		if err := g.warm(limited, nil); err != nil && limited.Err() == nil {
			return err
		}
	}
	select {
	case <-g.ready:
		return nil
	case <-limited.Done():
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.settings.logger.LogAttrs(ctx, slog.LevelWarn, "countersign: the gate is not ready",
		slog.Duration("after", g.settings.readyWait))
	return nil
}
