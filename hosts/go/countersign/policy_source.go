package countersign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A PolicySource is where a gate takes signed policies from, and whom it trusts
// (docs/signed-policies.md of the repository).
type PolicySource struct {
	// File or URL is the place of the signed policy. A URL is `https`; `http` only
	// with InsecureHTTP, and only to this machine (localhost, 127.0.0.1, [::1]).
	// Redirects are not followed. If nothing can be had from the place, that is a
	// [PolicyError] with the code `policy_unavailable`.
	File, URL    string
	InsecureHTTP bool
	// Trust is JSON: a JWK Set of one or two Ed25519 keys with a `kid`, and
	// `policy`, `audience` and, if wanted, `min_version`.
	Trust []byte
	// Poll is the time between two looks at the place (default: a minute, at least
	// 5 s).
	Poll time.Duration
	// StateFile keeps the highest version over a restart (`{"version":7}`): it is
	// written before a policy is put in force. If it cannot be used, that is a
	// [PolicyError] with the code `state_file_unusable`. Without a StateFile, and
	// without `min_version`, whoever controls the place can bring back an older
	// policy after a restart, if that has not expired.
	StateFile string
	// Convert makes JSON of a policy that is signed in another format, such as
	// YAML (countersignyaml.JSON). Nil if it is JSON.
	Convert func(policy []byte) ([]byte, error)
	// OnError gets the reason why the last look put no policy in force; the old
	// policy stays. It is logged too.
	OnError func(error)
}

// A SourceStatus is the state of a [PolicySource].
type SourceStatus struct {
	// Version, Expires and KID are those of the signed policy in force. From
	// Expires on it can not be put in force any more; it stays in force.
	Version uint64
	Expires time.Time
	KID     string
	// LastSuccess is when a look last found a good policy, new or not. LastError is
	// what has gone wrong since, for example that the policy in force has expired;
	// empty if nothing has.
	LastSuccess time.Time
	LastError   string
}

const (
	defaultPoll  = time.Minute
	minPoll      = 5 * time.Second
	policyBytes  = 32 << 20
	policyWithin = 10 * time.Second
)

// NewFrom is [New] with a signed policy. It looks for a new one every
// [PolicySource].Poll and puts it in force as [Gate.Reload] does. Whatever is
// wrong with it (the place, the signature, the name, the version, the policy),
// the old policy stays in force; at the start it is the error of NewFrom.
func NewFrom(ctx context.Context, from PolicySource, options ...Option) (*Gate, error) {
	settings := newSettings(options)
	source, err := newPolicySource(from, settings)
	if err != nil {
		return nil, err
	}
	var gate *Gate
	err = source.look(ctx, func(policy []byte, before func() error) (err error) {
		if gate, err = open(ctx, settings, policy); err == nil {
			err = before()
		}
		return err
	})
	if err != nil {
		if gate != nil {
			err = errors.Join(err, gate.Close())
		}
		return nil, err
	}
	gate.source = source
	go gate.followSource()
	return gate, nil
}

// followSource looks for a new policy until the gate closes.
func (g *Gate) followSource() {
	for {
		// With jitter, so that the processes of a fleet do not look at the same
		// moment.
		pause(g.open, g.source.poll()+rand.N(g.source.poll()/10), nil)
		if g.open.Err() != nil {
			return
		}
		g.lookAtSource()
	}
}

func (g *Gate) lookAtSource() {
	err := g.source.look(g.open, func(policy []byte, before func() error) error {
		return g.exclusively(g.open, func(ctx context.Context) error { return g.reload(ctx, policy, before) })
	})
	if err != nil && g.open.Err() == nil {
		g.source.tell(err)
	}
}

// A policySource looks at the place of a signed policy, one look at a time.
type policySource struct {
	PolicySource
	settings *settings
	// The highest version that was in force.
	version uint64
	// Those of the signed policy in force.
	etag   string
	signed []byte

	mu     sync.Mutex
	status SourceStatus
}

func newPolicySource(from PolicySource, settings *settings) (*policySource, error) {
	if err := from.check(); err != nil {
		return nil, err
	}
	version, err := readVersion(from.StateFile)
	if err != nil {
		return nil, err
	}
	return &policySource{PolicySource: from, settings: settings, version: version}, nil
}

func (s *policySource) poll() time.Duration {
	if s.Poll == 0 {
		return defaultPoll
	}
	return max(s.Poll, minPoll)
}

// look puts the policy of the source in force, if it is a new one. `putInForce`
// calls its second argument when the policy is good, before it is in force.
func (s *policySource) look(ctx context.Context, putInForce func(policy []byte, before func() error) error) error {
	signed, etag, err := s.read(ctx)
	if err != nil {
		return err
	}
	nowMS, err := s.settings.nowMS()
	if err != nil {
		return err
	}
	// One that has not changed too: it may have expired.
	opened, err := s.settings.openSigned(signed, trustFrom(s.Trust, s.version), nowMS)
	if err != nil {
		return fmt.Errorf("countersign: the signed policy: %w", err)
	}
	if bytes.Equal(signed, s.signed) {
		s.succeed(nowMS, nil)
		return nil
	}
	policy, err := s.converted(opened.Policy)
	if err != nil {
		return err
	}
	version := max(s.version, opened.Version)
	if err := putInForce(policy, func() error { return writeVersion(s.StateFile, version) }); err != nil {
		return err
	}
	s.version, s.etag, s.signed = version, etag, signed
	s.succeed(nowMS, &opened)
	return nil
}

// converted calls the program's function. Its panic is an error.
func (s *policySource) converted(policy []byte) (json []byte, err error) {
	if s.Convert == nil {
		return policy, nil
	}
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("countersign: the policy cannot be converted: %v", reason)
		}
	}()
	return s.Convert(policy)
}

func (s *policySource) succeed(nowMS uint64, opened *SignedPolicy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.LastSuccess, s.status.LastError = time.UnixMilli(int64(nowMS)), ""
	if opened != nil {
		s.status.Version, s.status.Expires, s.status.KID = opened.Version, opened.Expires, opened.KID
	}
}

func (s *policySource) tell(err error) {
	s.mu.Lock()
	s.status.LastError = err.Error()
	s.mu.Unlock()
	s.settings.logger.LogAttrs(context.Background(), slog.LevelWarn, "countersign: the old policy stays in force",
		slog.Any("reason", err))
	if s.OnError != nil {
		s.settings.guarded(func() { s.OnError(err) })
	}
}

// state returns nil if the gate has no source.
func (s *policySource) state() *SourceStatus {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	return &status
}
