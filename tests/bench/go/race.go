package main

import (
	"slices"
	"sync"
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// plan is the number of passes, of tokens in a pass, and of tokens in a turn,
// which is timed as a whole.
type plan struct{ Passes, Tokens, Turn int }

// A contestant checks tokens by their numbers. If it denies a valid token, this
// is an error, so that no failed check is timed.
type contestant struct {
	name string
	// Starts again, without remembered tokens.
	open  func() error
	check func(from, to int) error
}

// figure is `Figure` of src/figure.rs.
type figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Best   float64 `json:"best"`
	Median float64 `json:"median"`
	Turns  int     `json:"turns"`
}

func figureOf(name, unit string, turns []float64) figure {
	slices.Sort(turns)
	return figure{name, unit, turns[0], turns[len(turns)/2], len(turns)}
}

// race times contestants as src/race.rs does: they take turns at the same small
// piece of work, so that other load on the machine affects all of them.
func race(contestants []contestant, plan plan, remembered bool) ([]figure, error) {
	turns := make([][]float64, len(contestants))
	for pass := range plan.Passes {
		for _, one := range contestants {
			if remembered && pass > 0 {
				break
			}
			if err := one.open(); err != nil {
				return nil, err
			}
			if remembered {
				if err := one.check(0, plan.Tokens); err != nil {
					return nil, err
				}
			}
		}
		for from, turn := 0, 0; from < plan.Tokens; from, turn = from+plan.Turn, turn+1 {
			to := min(from+plan.Turn, plan.Tokens)
			for place := range contestants {
				// The order changes at every turn.
				index := (place + turn + pass) % len(contestants)
				start := time.Now()
				err := contestants[index].check(from, to)
				elapsed := time.Since(start)
				if err != nil {
					return nil, err
				}
				turns[index] = append(turns[index], float64(elapsed.Nanoseconds())/float64(to-from))
			}
		}
	}
	figures := make([]figure, len(contestants))
	for index, one := range contestants {
		figures[index] = figureOf(one.name, "ns", turns[index])
	}
	return figures, nil
}

// parallel divides the work of a contestant between two goroutines.
func parallel(one contestant) contestant {
	check := one.check
	one.check = func(from, to int) error {
		var both sync.WaitGroup
		var errs [2]error
		middle := (from + to) / 2
		both.Go(func() { errs[0] = check(from, middle) })
		both.Go(func() { errs[1] = check(middle, to) })
		both.Wait()
		if errs[0] != nil {
			return errs[0]
		}
		return errs[1]
	}
	return one
}

// The number of requests that are timed together.
const stretch = 500

// clients is a mix of clients, in the order that src/mix.rs generated.
type clients struct {
	Tokens []string
	Order  []int
	Passes int
}

// mix times a mix as node/mix.mjs does. The stretches have different numbers of
// new tokens, so the best and the median are taken for each stretch over all
// passes, and then added.
func (b *bench) mix(one algorithm) error {
	say("mix of clients")
	one.Tokens = b.Mix.Tokens
	peers, err := b.peers(one)
	if err != nil {
		return err
	}
	contestants := []contestant{b.instance(one, countersign.Module), b.instance(one, countersign.Native), peers[0]}
	order := b.Mix.Order
	stretches := make([][][]float64, len(contestants))
	for index := range stretches {
		stretches[index] = make([][]float64, (len(order)+stretch-1)/stretch)
	}
	for pass := range b.Mix.Passes {
		for _, one := range contestants {
			if err := one.open(); err != nil {
				return err
			}
		}
		for turn := range stretches[0] {
			tokens := order[turn*stretch : min((turn+1)*stretch, len(order))]
			for place := range contestants {
				index := (place + turn + pass) % len(contestants)
				start := time.Now()
				for _, token := range tokens {
					if err := contestants[index].check(token, token+1); err != nil {
						return err
					}
				}
				elapsed := float64(time.Since(start).Nanoseconds()) / float64(len(order))
				stretches[index][turn] = append(stretches[index][turn], elapsed)
			}
		}
	}
	sums := make([]figure, len(contestants))
	for index, one := range contestants {
		sums[index] = figure{Name: one.name, Unit: "ns", Turns: b.Mix.Passes}
		for _, turns := range stretches[index] {
			each := figureOf(one.name, "ns", turns)
			sums[index].Best += each.Best
			sums[index].Median += each.Median
		}
	}
	b.addBoth("mix of clients", sums, 1, 1)
	return nil
}
