package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// large is the workload of src/large.rs.
type large struct {
	Readings  int
	GoalMs    float64
	Documents []document
}

type document struct{ Name, Policy, Body string }

// run measures the longest call that reads a part of a document.
func (l *large) run() ([]result, error) {
	b := bench{}
	for _, one := range l.Documents {
		work := "longest call, " + one.Name
		say(work)
		var times []float64
		var calls []int
		for range l.Readings {
			longest, call, err := one.read()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", work, err)
			}
			times, calls = append(times, float64(longest.Nanoseconds())), append(calls, call)
		}
		fmt.Fprintf(os.Stderr, "  go: it was call %v, 0 being the first …\n", calls)
		goal := figureOf("goal", "ns", []float64{l.GoalMs * 1e6})
		b.add(work, []figure{figureOf("sealed, Instance.Supply, Resume", "ns", times)}, []figure{goal})
	}
	return b.races, nil
}

// read reads the document in a new instance. It returns the time of the longest
// call and the index of this call.
func (d *document) read() (longest time.Duration, which int, err error) {
	instance, err := countersign.OpenInstance(context.Background(), []byte(d.Policy))
	if err != nil {
		return 0, 0, err
	}
	defer instance.Close()
	now := func() uint64 { return uint64(time.Now().UnixMilli()) }
	due, err := instance.Due(now())
	if err != nil || len(due) != 1 {
		return 0, 0, fmt.Errorf("due: %v, %w", due, err)
	}
	response := &countersign.Response{Status: 200, Body: []byte(d.Body)}
	for call := 0; ; call++ {
		start := time.Now()
		var supplied countersign.Supplied
		if call == 0 {
			supplied, err = instance.Supply(due[0].Source, due[0].URI, response, now())
		} else {
			supplied, err = instance.Resume(due[0].Source, response.Part(call), now())
		}
		if elapsed := time.Since(start); elapsed > longest {
			longest, which = elapsed, call
		}
		switch {
		case err != nil:
			return 0, 0, err
		case supplied.Outcome == countersign.Accepted:
			return longest, which, nil
		case supplied.Outcome != countersign.Unfinished:
			return 0, 0, fmt.Errorf("not accepted: %+v", supplied)
		}
	}
}
