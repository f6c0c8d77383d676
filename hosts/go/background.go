package countersign

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// The longest nap between two looks at the clock, which may be set or
	// stand still with the machine.
	longestNap = 5 * time.Second
	// The shortest, so that documents that arrive together are one reason to look.
	shortestNap = 20 * time.Millisecond
)

// keepFresh refreshes documents that no request waits for.
func (g *generation) keepFresh(ctx context.Context) {
	plan := plan{}
	for ctx.Err() == nil {
		var dueMS uint64
		var isDue bool
		err := g.pool.call(ctx, func(r *reader) (err error) {
			dueMS, isDue, err = r.instance.NextDue()
			return err
		})
		nap := plan.nap(dueMS, isDue && err == nil, g.settings.nowMS())
		if nap <= 0 {
			// A trap is logged where it happens; the next look tries again.
			_, _ = g.startDue(ctx, nil)
		}
		pause(ctx, shortestNap, nil)
		pause(ctx, min(nap, longestNap), g.supplied)
	}
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

// A plan says when to look next: a little after the gate asks for it, and not
// when all the fleet does.
type plan struct {
	dueMS  uint64
	isDue  bool
	jitter time.Duration
}

// nap is how long until something is due, jitter included.
func (p *plan) nap(dueMS uint64, isDue bool, nowMS uint64) time.Duration {
	if !isDue {
		return longestNap
	}
	left := between(nowMS, dueMS)
	if !p.isDue || p.dueMS != dueMS {
		p.dueMS, p.isDue = dueMS, true
		p.jitter = rand.N(min(left/10, longestNap) + 1)
	}
	return left + p.jitter - between(dueMS, nowMS)
}

// between is the time from a moment to a later one, else 0; at most a day,
// which is longer than any nap.
func between(fromMS, toMS uint64) time.Duration {
	if toMS <= fromMS {
		return 0
	}
	const day = 24 * time.Hour
	return time.Duration(min(toMS-fromMS, uint64(day/time.Millisecond))) * time.Millisecond
}
