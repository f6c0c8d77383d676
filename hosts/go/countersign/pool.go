package countersign

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// How long a call waits for an instance while all are busy or dead.
	freeDeadline = 2 * time.Second
	// The pause between two tries to replace an instance.
	replacePause = time.Second
)

var (
	// errRetired means that another policy is in force, or none.
	errRetired = errors.New("countersign: the policy is no longer in force")
	// errReplaced means that the instance died in another call.
	errReplaced = errors.New("countersign: the instance was replaced")
)

// A pool holds the instances of one policy. A check takes a free one. An
// instance that dies is closed and replaced.
type pool struct {
	engine   *engine
	provider *provider
	policy   string
	secrets  []Header
	logger   *slog.Logger
	tasks    *tasks
	journals journals

	mu sync.Mutex
	// Every live instance, busy or free.
	alive []*reader
	// A stack, so that the instance used last, which remembers recent tokens, is
	// used first.
	free []*reader
	// The calls that wait for any instance, in order: chan *reader.
	queue   list.List
	retired bool
}

// openPool opens instances one after the other.
func openPool(ctx context.Context, s *settings, policy string, tasks *tasks) (*pool, error) {
	provider, err := s.provider()
	if err != nil {
		return nil, err
	}
	engine, err := s.engine()
	if err != nil {
		return nil, err
	}
	secrets, err := s.readSecrets()
	if err != nil {
		return nil, err
	}
	p := &pool{engine: engine, provider: provider, policy: policy, secrets: secrets, logger: s.logger, tasks: tasks}
	for range s.instances {
		instance, err := openIn(p.engine, p.policy, p.provider, p.secrets)
		if err == nil {
			p.join(newReader(instance))
			err = ctx.Err()
		}
		if err != nil {
			p.retire()
			return nil, err
		}
	}
	return p, nil
}

// call calls a function with a free instance. It waits at most freeDeadline for
// one. If the function returns an error other than a [PolicyError], the
// instance is replaced.
func (p *pool) call(ctx context.Context, do func(*reader) error) error {
	r, err := p.takeAny(ctx)
	if err != nil {
		return err
	}
	return p.use(r, do)
}

// callFirst is call with the instance `first`, if it is not nil and not dead.
func (p *pool) callFirst(ctx context.Context, first *reader, do func(*reader) error) error {
	if first != nil {
		if err := p.callThis(ctx, first, do); !errors.Is(err, errReplaced) {
			return err
		}
	}
	return p.call(ctx, do)
}

// callThis is call with a given instance. It waits for the instance without a
// deadline, because a late delivery of a document is not a failed one.
func (p *pool) callThis(ctx context.Context, r *reader, do func(*reader) error) error {
	if err := p.takeThis(ctx, r); err != nil {
		return err
	}
	return p.use(r, do)
}

func (p *pool) use(r *reader, do func(*reader) error) (err error) {
	isAlive := false
	defer func() {
		if isAlive {
			p.giveBack(r)
		} else {
			p.replace(r)
		}
	}()
	err = do(r)
	isAlive = err == nil || isRefused(err)
	if !isAlive {
		p.logger.Error("countersign: an instance is replaced", slog.Any("error", err))
	}
	return err
}

func (p *pool) takeAny(ctx context.Context) (*reader, error) {
	p.mu.Lock()
	// The tasks are cancelled when the policy is replaced: a request that waited
	// for a fetch must not be denied, because the next policy decides.
	if p.retired || p.tasks.ctx.Err() != nil {
		p.mu.Unlock()
		return nil, errRetired
	}
	if r := p.popFree(); r != nil {
		p.mu.Unlock()
		return r, nil
	}
	turn := make(chan *reader, 1)
	place := p.queue.PushBack(turn)
	p.mu.Unlock()
	deadline := time.NewTimer(freeDeadline)
	defer deadline.Stop()
	return p.await(ctx, turn, &p.queue, place, deadline.C, &Trap{"no instance is free"})
}

// takeFree returns a free instance, or nil: it does not wait.
func (p *pool) takeFree() *reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired || p.tasks.ctx.Err() != nil {
		return nil
	}
	return p.popFree()
}

// popFree returns the free instance that was used last, or nil. The caller holds
// the lock.
func (p *pool) popFree() *reader {
	last := len(p.free) - 1
	if last < 0 {
		return nil
	}
	r := p.free[last]
	p.free = p.free[:last]
	return r
}

func (p *pool) takeThis(ctx context.Context, r *reader) error {
	p.mu.Lock()
	if !slices.Contains(p.alive, r) {
		p.mu.Unlock()
		return errReplaced
	}
	if at := slices.Index(p.free, r); at >= 0 {
		p.free = slices.Delete(p.free, at, at+1)
		p.mu.Unlock()
		return nil
	}
	turn := make(chan *reader, 1)
	place := r.queue.PushBack(turn)
	p.mu.Unlock()
	_, err := p.await(ctx, turn, &r.queue, place, nil, nil)
	return err
}

// await waits for an instance on `turn`, or leaves the queue. The channel is
// closed if the instance has died.
func (p *pool) await(
	ctx context.Context, turn chan *reader, queue *list.List, place *list.Element, deadline <-chan time.Time, late error,
) (*reader, error) {
	var err error
	select {
	case r, ok := <-turn:
		if !ok {
			return nil, errReplaced
		}
		return r, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.tasks.ctx.Done():
		err = errRetired
	case <-deadline:
		err = late
	}
	p.mu.Lock()
	queue.Remove(place)
	p.mu.Unlock()
	// The instance may have arrived just before the queue was left.
	select {
	case r, ok := <-turn:
		if ok {
			p.giveBack(r)
		}
	default:
	}
	return nil, err
}

// giveBack passes an instance to the next waiting call. It alternates between
// the calls that wait for this instance, to read a document, and the calls that
// wait for any.
func (p *pool) giveBack(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		r.instance.Close()
		return
	}
	queues := [...]*list.List{&r.queue, &p.queue}
	if r.servedQueue {
		slices.Reverse(queues[:])
	}
	for _, queue := range queues {
		if next := queue.Front(); next != nil {
			queue.Remove(next)
			r.servedQueue = queue == &r.queue
			next.Value.(chan *reader) <- r
			return
		}
	}
	p.free = append(p.free, r)
}

// join adds an instance to the pool if it has read all journals, and reports
// whether it has.
func (p *pool) join(r *reader) bool {
	p.mu.Lock()
	// Under the lock: a later entry is delivered to every live instance.
	if !p.retired && p.journals.hasUnread(r) {
		p.mu.Unlock()
		return false
	}
	p.alive = append(p.alive, r)
	p.mu.Unlock()
	p.giveBack(r)
	return true
}

// replace closes an instance and creates a new one, unless the pool is retired.
func (p *pool) replace(r *reader) {
	r.instance.Close()
	p.mu.Lock()
	p.alive = slices.DeleteFunc(p.alive, func(other *reader) bool { return other == r })
	for next := r.queue.Front(); next != nil; next = next.Next() {
		close(next.Value.(chan *reader))
	}
	p.mu.Unlock()
	p.tasks.start(func(ctx context.Context) {
		for ctx.Err() == nil {
			fresh, err := p.fresh()
			for err == nil && !p.join(fresh) {
				if err = p.journals.readAll(fresh); err != nil {
					fresh.instance.Close()
				}
			}
			if err == nil {
				return
			}
			p.logger.Error("countersign: an instance could not be replaced", slog.Any("error", err))
			pause(ctx, replacePause, nil)
		}
	})
}

// fresh opens an instance that has read all journals.
func (p *pool) fresh() (*reader, error) {
	instance, err := openIn(p.engine, p.policy, p.provider, p.secrets)
	if err != nil {
		return nil, err
	}
	r := newReader(instance)
	if err := p.journals.readAll(r); err != nil {
		instance.Close()
		return nil, err
	}
	return r, nil
}

// readers lists the live instances.
func (p *pool) readers() []*reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.alive)
}

// retire frees the instances. Those in use are freed when they are given back.
func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, r := range p.free {
		r.instance.Close()
	}
	p.free = nil
}
