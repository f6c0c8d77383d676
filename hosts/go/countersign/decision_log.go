package countersign

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Places in the ring of a log.
	defaultRing = 1024
	// One of so many allowed requests is logged.
	defaultAllows = 100
)

// A DecisionLog writes decisions as JSON lines: `time` (RFC 3339, UTC,
// milliseconds) and the members of the [DecisionEvent]. All denials are logged, and
// all comparisons that do not agree; of the others the first of every hundred
// ([LogAllows]).
//
//	log := countersign.NewDecisionLog(os.Stdout)
//	gate, err := countersign.New(ctx, policy, countersign.WithOnDecision(log.OnDecision))
//
// Between the decisions and the writer is a ring of fixed size. No decision waits
// for the writer: a full ring drops the new event and counts it.
type DecisionLog struct {
	writer io.Writer
	every  uint64
	drops  atomic.Uint64
	// Of what is sampled: decisions, and comparisons that agree. With one counter
	// for both, every second event would be a comparison, and an even number would
	// choose none of them.
	decisions, comparisons atomic.Uint64

	// Held by OnDecision for reading, so that the ring is closed only once nobody
	// writes to it.
	mu     sync.RWMutex
	closed bool
	ring   chan logEntry
	done   chan struct{}
}

type logEntry struct {
	at    time.Time
	event DecisionEvent
}

// A DecisionLogOption configures a [DecisionLog].
type DecisionLogOption func(*DecisionLog)

// LogRing sets the number of events that can wait for the writer (default: 1,024).
func LogRing(events int) DecisionLogOption {
	return func(l *DecisionLog) { l.ring = make(chan logEntry, max(events, 1)) }
}

// LogAllows logs the first of every so many requests that are not denied, and of
// every so many comparisons that agree: 1 logs all of them, 0 none (default: 100).
func LogAllows(every uint) DecisionLogOption {
	return func(l *DecisionLog) { l.every = uint64(every) }
}

// NewDecisionLog starts a log. Each line is one call of the writer, which no two
// goroutines use at the same time. An error of the writer counts as a dropped
// event.
func NewDecisionLog(writer io.Writer, options ...DecisionLogOption) *DecisionLog {
	l := &DecisionLog{writer: writer, every: defaultAllows, ring: make(chan logEntry, defaultRing), done: make(chan struct{})}
	for _, option := range options {
		option(l)
	}
	go l.write()
	return l
}

// OnDecision is the function for [WithOnDecision]. It never blocks.
func (l *DecisionLog) OnDecision(_ context.Context, event DecisionEvent) {
	if !l.isWanted(event) {
		return
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		l.drops.Add(1)
		return
	}
	select {
	case l.ring <- logEntry{time.Now(), event}:
	default:
		l.drops.Add(1)
	}
}

func (l *DecisionLog) isWanted(event DecisionEvent) bool {
	seen, isSampled := &l.decisions, event.Decision != ResultDeny
	if event.Mode == ModeShadow {
		seen, isSampled = &l.comparisons, event.Comparison == ComparisonAgree
	}
	if !isSampled {
		return true
	}
	return l.every > 0 && (seen.Add(1)-1)%l.every == 0
}

// Dropped returns the number of events that were dropped.
func (l *DecisionLog) Dropped() uint64 { return l.drops.Load() }

// Close writes the events that wait, and ends the log. Later events are dropped.
// It does not close the writer.
func (l *DecisionLog) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.ring)
	}
	l.mu.Unlock()
	<-l.done
	return nil
}

// write writes the events until the log is closed.
func (l *DecisionLog) write() {
	defer close(l.done)
	for entry := range l.ring {
		if !l.writeLine(entry) {
			l.drops.Add(1)
		}
	}
}

// writeLine reports whether the writer has taken the line. The writer is the
// program's: a panic of it is an error.
func (l *DecisionLog) writeLine(entry logEntry) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	line, err := json.Marshal(struct {
		Time string `json:"time"`
		DecisionEvent
	}{entry.at.UTC().Format("2006-01-02T15:04:05.000Z07:00"), entry.event})
	if err != nil {
		return false
	}
	_, err = l.writer.Write(append(line, '\n'))
	return err == nil
}
