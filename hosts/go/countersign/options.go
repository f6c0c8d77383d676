package countersign

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// An Option configures a [Gate].
type Option func(*settings)

// settings are the options of a gate. A reload keeps them.
type settings struct {
	clock               func() time.Time
	client              *http.Client
	instances           int
	wait                time.Duration
	maxWaiting          int
	inline              bool
	bypassCORSPreflight bool
	logger              *slog.Logger
	compile             engineConfig
	signatures          Signatures
	secrets             map[string]Secret
	subjectKey          Secret
	hooks               hooks
	readyWait           time.Duration
	// The candidate's policy, or nil.
	shadow []byte
	// Nil for the table of the process.
	proofStore ProofStore
	proofTable *proofTable
	// Nil for the sealed module, and for what `signatures` says; a test may set
	// others.
	module   *engine
	verifier *provider
}

func newSettings(options []Option) *settings {
	s := &settings{
		clock:      time.Now,
		client:     defaultClient(),
		instances:  runtime.GOMAXPROCS(0),
		wait:       6 * time.Second,
		maxWaiting: 1024,
		logger:     slog.Default(),
		signatures: Module,
		proofTable: processProofs,
		hooks:      hooks{panicked: &sync.Once{}},
	}
	for _, option := range options {
		option(s)
	}
	return s
}

func (s *settings) engine() (*engine, error) {
	if s.module != nil {
		return s.module, nil
	}
	return sealedEngine(s.compile)
}

func (s *settings) provider() (*provider, error) {
	if s.verifier != nil {
		return s.verifier, nil
	}
	return providerOf(s.signatures)
}

// errClock means that the time is not known, so that nothing can be decided.
var errClock = errors.New("countersign: the clock gives no valid time")

// nowMS returns the time in milliseconds since 1970. The clock is a function of
// the program: if it panics or returns an invalid time, nowMS returns errClock.
func (s *settings) nowMS() (ms uint64, err error) {
	defer func() {
		if recover() != nil {
			ms, err = 0, errClock
		}
	}()
	now := s.clock()
	if now.IsZero() || now.Year() < 1970 || now.Year() > 9999 {
		return 0, errClock
	}
	return uint64(now.UnixMilli()), nil
}

// WithClock sets the clock (default: [time.Now]). While it returns the zero
// time or a time before 1970 or after the year 9999, or panics, every request
// is denied with `internal_error`. All gates of a process share the table of
// used proofs, so their clocks should agree.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) { s.clock = clock }
}

// WithHTTPClient sets the client that fetches documents and looks up tokens
// (default: a client with the system's root certificates and the proxy of the
// environment). Its redirect policy, cookies and timeout are not used.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) { s.client = documentClient(client) }
}

// WithInstances sets the number of instances of the module (default:
// GOMAXPROCS), which is the largest number of concurrent checks. Each instance
// has its own copy of the policy and the documents, and remembers its own
// tokens.
func WithInstances(instances int) Option {
	return func(s *settings) { s.instances = max(instances, 1) }
}

// WithWait sets how long a check waits in total for documents, the look-up of its
// token, and the store of proofs (default: 6 s).
// [Gate.Reload] and [Gate.Warm] wait as long for the documents of the policy.
func WithWait(wait time.Duration) Option {
	return func(s *settings) { s.wait = wait }
}

// WithInlineRefresh is for processes that are frozen between two requests (AWS
// Lambda, Cloud Run without CPU between requests). No document is refreshed on
// a timer. Instead, before a request with a token is allowed, it waits, within
// [WithWait], until the documents of its issuer that are due are fetched or
// have failed, and is then decided.
func WithInlineRefresh() Option {
	return func(s *settings) { s.inline = true }
}

// WithCORSPreflightBypass makes [Gate.Middleware] pass `OPTIONS` requests with
// `Origin` and `Access-Control-Request-Method` on without a check. They are
// anonymous and keep only the fields that a browser sends with a preflight. It
// is for a CORS middleware behind the gate. A CORS middleware in front of the
// gate needs no bypass, and also lets scripts read denials.
func WithCORSPreflightBypass() Option {
	return func(s *settings) { s.bypassCORSPreflight = true }
}

// WithMaxWaiting sets how many checks may wait for the documents of one issuer
// and the look-ups of its tokens at the same time, and how many for the store of
// proofs (default: 1024). A further check that would have to wait is denied with
// status 503.
func WithMaxWaiting(checks int) Option {
	return func(s *settings) { s.maxWaiting = max(checks, 0) }
}

// WithLogger sets the logger for errors of documents and instances (default:
// [slog.Default]). The gate never logs a token, a header, a claim's value or a
// query.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// WithInterpreter interprets the module instead of compiling it. This is the
// default on platforms for which wazero has no compiler. It is much slower and
// makes the same decisions.
func WithInterpreter() Option {
	return func(s *settings) { s.compile.interpreter = true }
}

// WithCompilationCache stores the compiled module in a folder, so that the next
// process starts faster. Anyone who can write to the folder can run code in
// this process: make it private.
func WithCompilationCache(dir string) Option {
	return func(s *settings) { s.compile.cacheDir = dir }
}
