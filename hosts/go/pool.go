package countersign

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// How long a call waits for an instance: all of them are busy or dead then.
	freeDeadline = 2 * time.Second
	// Between two tries to replace an instance.
	replacePause = time.Second
)

// errRetired says that another policy is in force, or none any more.
var errRetired = errors.New("countersign: the policy is no longer in force")

// A pool is the instances of one policy. A check takes a free one; one that
// dies is thrown away and replaced.
type pool struct {
	engine  *engine
	policy  string
	logger  *slog.Logger
	tasks   *tasks
	journal journal

	// As many tokens as there are free instances.
	places chan struct{}
	mu     sync.Mutex
	// A stack: what the instance used last remembers is used first.
	free    []*reader
	retired bool
}

// openPool opens instances one after the other.
func openPool(ctx context.Context, s *settings, policy string, tasks *tasks) (*pool, error) {
	engine, err := s.engine()
	if err != nil {
		return nil, err
	}
	p := &pool{engine: engine, policy: policy, logger: s.logger, tasks: tasks, places: make(chan struct{}, s.instances)}
	for range s.instances {
		instance, err := openIn(p.engine, p.policy)
		if err == nil {
			p.add(&reader{instance: instance})
			err = ctx.Err()
		}
		if err != nil {
			p.retire()
			return nil, err
		}
	}
	return p, nil
}

// call calls into a free instance that has read everything supplied so far.
// An error of the function is the instance's end, unless it says that a
// policy or a requirement was refused.
func (p *pool) call(ctx context.Context, ask func(*reader) error) error {
	r, err := p.take(ctx)
	if err != nil {
		return err
	}
	alive := false
	defer func() {
		if alive {
			p.add(r)
		} else {
			p.replace(r)
		}
	}()
	if err = r.catchUp(&p.journal); err == nil {
		err = ask(r)
	}
	alive = err == nil || isRefused(err)
	if !alive {
		p.logger.Error("countersign: an instance is replaced", slog.Any("error", err))
	}
	return err
}

func (p *pool) take(ctx context.Context) (*reader, error) {
	// A fetch that was cancelled is no reason to deny: the next policy decides.
	if p.tasks.ctx.Err() != nil {
		return nil, errRetired
	}
	select {
	case <-p.places:
	default:
		if err := p.wait(ctx); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return nil, errRetired
	}
	r := p.free[last]
	p.free = p.free[:last]
	return r, nil
}

func (p *pool) wait(ctx context.Context) error {
	deadline := time.NewTimer(freeDeadline)
	defer deadline.Stop()
	select {
	case <-p.places:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.tasks.ctx.Done():
		return errRetired
	case <-deadline.C:
		return &Trap{"no instance is free"}
	}
}

func (p *pool) add(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		r.instance.Close()
		return
	}
	p.free = append(p.free, r)
	p.places <- struct{}{}
}

// replace makes one fresh instance, as long as the pool is there to take it.
func (p *pool) replace(r *reader) {
	r.instance.Close()
	p.tasks.start(func(ctx context.Context) {
		for ctx.Err() == nil {
			fresh, err := p.fresh()
			if err == nil {
				p.add(fresh)
				return
			}
			p.logger.Error("countersign: an instance could not be replaced", slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(replacePause):
			}
		}
	})
}

func (p *pool) fresh() (*reader, error) {
	instance, err := openIn(p.engine, p.policy)
	if err != nil {
		return nil, err
	}
	r := &reader{instance: instance}
	if err := r.catchUp(&p.journal); err != nil {
		instance.Close()
		return nil, err
	}
	return r, nil
}

// retire frees the instances: those in use when they come back.
func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, r := range p.free {
		r.instance.Close()
	}
	p.free = nil
}
