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

// keepFresh refreshes documents that no request waits for. It waits on
// monotonic timers, which no setting of the clock moves.
func (g *generation) keepFresh(ctx context.Context) {
	plan := plan{}
	for ctx.Err() == nil {
		nap := g.untilDue(ctx, &plan)
		if nap <= 0 {
			// A trap is logged where it happens; the next look tries again.
			_, _ = g.startDue(ctx, nil)
		}
		pause(ctx, shortestNap, nil)
		pause(ctx, min(nap, longestNap), g.supplied)
	}
}

// untilDue asks how long until something is due, jitter included.
func (g *generation) untilDue(ctx context.Context, plan *plan) time.Duration {
	nowMS, err := g.settings.nowMS()
	if err != nil {
		return longestNap
	}
	var left time.Duration
	var isDue bool
	err = g.pool.call(ctx, func(r *reader) (err error) {
		left, isDue, err = r.instance.NextDue(nowMS)
		return err
	})
	if err != nil || !isDue {
		return longestNap
	}
	return plan.nap(left, time.Now())
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
// when all the fleet does. Its moments are monotonic.
type plan struct {
	due    time.Time
	jitter time.Duration
}

// The same moment, asked for twice, differs by what the asking takes.
const samePlan = time.Second

// nap is how long until what is due after `left` is to be fetched.
func (p *plan) nap(left time.Duration, now time.Time) time.Duration {
	due := now.Add(left)
	isPast := left <= 0 && !p.due.IsZero() && !p.due.After(now)
	if !isPast && due.Sub(p.due).Abs() > samePlan {
		p.due, p.jitter = due, rand.N(min(left/10, longestNap)+1)
	}
	return p.due.Add(p.jitter).Sub(now)
}
