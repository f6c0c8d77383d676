package main

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// start times the first instance of a process. It measures once, because the
// module stays compiled. A cache written by this process replaces one written
// by an earlier process.
func (b *bench) start() error {
	say("start")
	dir, err := os.MkdirTemp("", "countersign-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	policy := []byte(b.Algorithms[0].Policy)
	open := func(options ...countersign.Option) (float64, error) {
		start := time.Now()
		instance, err := countersign.OpenInstance(context.Background(), policy, options...)
		if err != nil {
			return 0, err
		}
		elapsed := float64(time.Since(start).Nanoseconds())
		instance.Close()
		return elapsed, nil
	}
	plain, err := open()
	if err != nil {
		return err
	}
	// `dir` and `dir/.` are the same cache on disk. The host sees two names, so
	// it does not reuse the module that it compiled for `dir`.
	if _, err := open(countersign.WithCompilationCache(dir)); err != nil {
		return err
	}
	cached, err := open(countersign.WithCompilationCache(dir + "/."))
	if err != nil {
		return err
	}
	b.add("first instance of a process", []figure{figureOf("compiled", "ns", []float64{plain})}, nil)
	b.add("first instance of a process", []figure{figureOf("from the cache", "ns", []float64{cached})}, nil)
	var next []float64
	for range b.Repeats {
		elapsed, err := open()
		if err != nil {
			return err
		}
		next = append(next, elapsed)
	}
	b.add("open a policy", []figure{figureOf("sealed, OpenInstance", "ns", next)}, nil)
	return nil
}

// sizes measures memory and allocations.
func (b *bench) sizes(one algorithm) error {
	say("memory and allocations")
	if err := b.memory(one); err != nil {
		return err
	}
	peers, err := b.peers(one)
	if err != nil {
		return err
	}
	var figures []figure
	for _, one := range []contestant{b.instance(one, countersign.Module), b.gate(one, 1, countersign.Module), peers[0], peers[1]} {
		if err := one.open(); err != nil {
			return err
		}
		var failed error
		allocations := testing.AllocsPerRun(100, func() {
			if err := one.check(0, 1); err != nil {
				failed = err
			}
		})
		if failed != nil {
			return failed
		}
		figures = append(figures, figureOf(one.name, "allocations", []float64{allocations}))
	}
	b.add("allocations, remembered", figures[:2], figures[2:])
	return nil
}

// memory measures the memory of instances, each with its policy.
func (b *bench) memory(one algorithm) error {
	const instances = 8
	before := live()
	open := make([]*countersign.Instance, instances)
	for index := range open {
		instance, err := countersign.OpenInstance(context.Background(), []byte(one.Policy))
		if err != nil {
			return err
		}
		open[index] = instance
	}
	each := float64(live()-before) / instances
	for _, instance := range open {
		instance.Close()
	}
	b.add("memory of an instance", []figure{figureOf("sealed, OpenInstance", "bytes", []float64{each})}, nil)
	return nil
}

func live() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
