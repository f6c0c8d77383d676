package countersign

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// The longest delay between two checks of the clock: the clock may be
	// set, and it stops while the machine is suspended.
	maxDelay = 5 * time.Second
	// The shortest delay, so that documents that arrive together cause one
	// check.
	minDelay = 20 * time.Millisecond
)

// keepFresh refreshes documents that no request waits for. It uses monotonic
// timers, which do not change when the clock is set.
func (g *generation) keepFresh(ctx context.Context) {
	plan := plan{}
	for ctx.Err() == nil {
		delay := g.untilDue(ctx, &plan)
		if delay <= 0 {
			// The pool logs a trap; the next round tries again.
			_, _ = g.startDue(ctx, nil)
		}
		pause(ctx, minDelay, nil)
		pause(ctx, min(delay, maxDelay), g.supplied)
	}
}

// untilDue returns the time until a document is due, with jitter.
func (g *generation) untilDue(ctx context.Context, plan *plan) time.Duration {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return maxDelay
	}
	var left time.Duration
	var isDue bool
	err = g.pool.call(ctx, func(r *reader) (err error) {
		left, isDue, err = r.instance.NextDue(nowMS)
		return err
	})
	if err != nil || !isDue {
		return maxDelay
	}
	return plan.delay(left, time.Now())
}

func pause(ctx context.Context, pause time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

// A plan is the time of the next fetch. Random jitter keeps the processes of a
// fleet from fetching at the same moment. Its times are monotonic.
type plan struct {
	due    time.Time
	jitter time.Duration
}

// Two calls compute the same due time with a small difference, because each
// call takes time.
const dueTolerance = time.Second

// delay returns the time until a document that is due in `left` is fetched.
func (p *plan) delay(left time.Duration, now time.Time) time.Duration {
	due := now.Add(left)
	isPast := left <= 0 && !p.due.IsZero() && !p.due.After(now)
	if !isPast && due.Sub(p.due).Abs() > dueTolerance {
		p.due, p.jitter = due, rand.N(min(left/10, maxDelay)+1)
	}
	return p.due.Add(p.jitter).Sub(now)
}
