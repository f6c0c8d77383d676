package countersign

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"time"
)

// An Option sets up a [Gate].
type Option func(*settings)

// What a reload keeps.
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
	// The sealed one, unless a test says otherwise.
	module *engine
}

func newSettings(options []Option) *settings {
	s := &settings{
		clock:      time.Now,
		client:     defaultClient(),
		instances:  runtime.GOMAXPROCS(0),
		wait:       6 * time.Second,
		maxWaiting: 1024,
		logger:     slog.Default(),
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

// errClock says that nobody knows what time it is, so that nothing is decided.
var errClock = errors.New("countersign: the clock tells no time")

// nowMS is the time in milliseconds since 1970. It is somebody else's function
// that tells it: one that panics, or tells a time before 1970, tells none.
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

// WithClock tells the time (default: [time.Now]). While it tells none, which
// is the zero time, one before 1970 or after the year 9999, or a panic, every
// request is denied with `internal_error`.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) { s.clock = clock }
}

// WithHTTPClient fetches documents (default: a client that trusts what the
// system trusts, keeps no connection, and takes a proxy from the
// environment). Its redirect policy, cookies and timeout are not used.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) { s.client = documentClient(client) }
}

// WithInstances sets the number of instances of the module (default: one for
// each of GOMAXPROCS), which bounds the checks at a time. Each holds the
// policy and the documents, and remembers tokens of its own.
func WithInstances(instances int) Option {
	return func(s *settings) { s.instances = max(instances, 1) }
}

// WithWait sets how long a check may wait for documents in all (default: 6 s),
// and [Gate.Reload] or [Gate.Warm] for those of the policy.
func WithWait(wait time.Duration) Option {
	return func(s *settings) { s.wait = wait }
}

// WithInlineRefresh is for processes that stand still between two requests
// (AWS Lambda, Cloud Run without CPU between requests): nothing is refreshed
// on a timer, and a request that would be admitted by documents past due waits,
// within [WithWait], until those of its token's issuer were fetched, or could
// not be, and is then decided.
func WithInlineRefresh() Option {
	return func(s *settings) { s.inline = true }
}

// WithCORSPreflightBypass lets `OPTIONS` with `Origin` and
// `Access-Control-Request-Method` pass [Gate.Middleware] unasked, as nobody's
// and with no more fields than a browser sends with it: for a CORS middleware
// behind the gate. One in front of the gate, which also lets a script read
// what a denial says, needs no bypass.
func WithCORSPreflightBypass() Option {
	return func(s *settings) { s.bypassCORSPreflight = true }
}

// WithMaxWaiting sets how many checks may wait for the documents of one issuer
// at a time (default: 1024). The next one that would have to is denied with a
// 503.
func WithMaxWaiting(checks int) Option {
	return func(s *settings) { s.maxWaiting = max(checks, 0) }
}

// WithLogger sets where the gate says what went wrong with documents and
// instances (default: [slog.Default]). It never logs a token, a header, a
// claim's value or a query.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// WithInterpreter interprets the module, as is done anyway on platforms that
// wazero does not compile for. Slower by far, and equal in every decision.
func WithInterpreter() Option {
	return func(s *settings) { s.compile.interpreter = true }
}

// WithCompilationCache keeps the compiled module in a folder, so that the
// next process starts faster. Whoever can write there can run code in this
// process: make it private.
func WithCompilationCache(dir string) Option {
	return func(s *settings) { s.compile.cacheDir = dir }
}
