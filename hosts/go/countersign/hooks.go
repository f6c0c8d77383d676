package countersign

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// hooks are the functions of the program that get events.
type hooks struct {
	decision []func(context.Context, DecisionEvent)
	document []func(DocumentEvent)
	// A hook that panics is logged once, not for each event.
	panicked *sync.Once
}

// WithOnDecision adds a function that gets one event for each decision of
// [Gate.Check], [Gate.Verify], [Grant.Require] and of everything that uses them. The
// context is the request's, so that a request id or a trace can stand beside the
// decision. A request whose context ends before the decision has no event.
//
// The function runs before the request goes on: it must be fast, and safe for
// concurrent use ([DecisionLog] has a queue). If it panics, the decision stands.
func WithOnDecision(hook func(context.Context, DecisionEvent)) Option {
	return func(s *settings) { s.hooks.decision = append(s.hooks.decision, hook) }
}

// WithOnDocument adds a function that gets one event for each fetch of a
// document. It must be fast, and safe for concurrent use. If it panics, nothing
// changes.
func WithOnDocument(hook func(DocumentEvent)) Option {
	return func(s *settings) { s.hooks.document = append(s.hooks.document, hook) }
}

// The shortest key of which a subject_ref keeps a subject secret.
const minSubjectKey = 16

// WithSubjectKey sets the key of [DecisionEvent.SubjectRef]: 16 bytes or more. With
// it, whoever has the key finds the events of one person; nobody else learns
// who it is. [New] and each [Gate.Reload] read it; a new key makes new
// references. A shorter one is a [PolicyError] with the code `subject_key_short`.
func WithSubjectKey(key Secret) Option {
	return func(s *settings) { s.subjectKey = key }
}

// readSubjectKey returns nil if there is no key.
func (s *settings) readSubjectKey() ([]byte, error) {
	if s.subjectKey.read == nil {
		return nil, nil
	}
	key, err := s.subjectKey.read()
	if err != nil {
		return nil, fmt.Errorf("countersign: the subject key cannot be used: %w", err)
	}
	if len(key) < minSubjectKey {
		return nil, problemOf("subject_key_short", "the subject key has fewer than 16 bytes")
	}
	return key, nil
}

// tell gives the event of a decision to the hooks.
func (s *settings) tell(ctx context.Context, mode Mode, made *outcome) {
	if len(s.hooks.decision) == 0 || made.result() == "" {
		return
	}
	s.tellEvent(ctx, made.event(mode))
}

func (s *settings) tellEvent(ctx context.Context, event DecisionEvent) {
	for _, hook := range s.hooks.decision {
		s.guarded(func() { hook(ctx, event) })
	}
}

func (s *settings) tellDocument(event DocumentEvent) {
	for _, hook := range s.hooks.document {
		s.guarded(func() { hook(event) })
	}
}

// guarded calls a hook. A panic of it is no reason to fail.
func (s *settings) guarded(hook func()) {
	defer func() {
		if reason := recover(); reason != nil {
			s.hooks.panicked.Do(func() {
				s.logger.LogAttrs(context.Background(), slog.LevelError, "countersign: a hook panics",
					slog.String("reason", fmt.Sprint(reason)))
			})
		}
	}()
	hook()
}
