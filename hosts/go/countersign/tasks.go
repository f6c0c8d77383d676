package countersign

import (
	"context"
	"sync"
)

// tasks are the background goroutines of one policy in force.
type tasks struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func newTasks() *tasks {
	ctx, cancel := context.WithCancel(context.Background())
	return &tasks{ctx: ctx, cancel: cancel}
}

// start runs a function on its own goroutine. It returns false after stop.
func (t *tasks) start(task func(ctx context.Context)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.running.Add(1)
	go func() {
		defer t.running.Done()
		task(t.ctx)
	}()
	return true
}

// stop cancels all goroutines and waits until they have ended.
func (t *tasks) stop() {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.cancel()
	t.running.Wait()
}
