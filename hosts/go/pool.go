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
	// How long a call waits for an instance: all of them are busy or dead then.
	freeDeadline = 2 * time.Second
	// Between two tries to replace an instance.
	replacePause = time.Second
)

var (
	// errRetired says that another policy is in force, or none any more.
	errRetired = errors.New("countersign: the policy is no longer in force")
	// errReplaced says that an instance died in other hands.
	errReplaced = errors.New("countersign: the instance was replaced")
)

// A pool is the instances of one policy. A check takes a free one; one that
// dies is thrown away and replaced.
type pool struct {
	engine   *engine
	policy   string
	logger   *slog.Logger
	tasks    *tasks
	journals journals

	mu sync.Mutex
	// Every instance that is alive, busy or free.
	alive []*reader
	// A stack: what the instance used last remembers is used first.
	free []*reader
	// Who waits for any instance, first come, first served: chan *reader.
	waiting list.List
	retired bool
}

// openPool opens instances one after the other.
func openPool(ctx context.Context, s *settings, policy string, tasks *tasks) (*pool, error) {
	engine, err := s.engine()
	if err != nil {
		return nil, err
	}
	p := &pool{engine: engine, policy: policy, logger: s.logger, tasks: tasks}
	for range s.instances {
		instance, err := openIn(p.engine, p.policy)
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

// call calls into a free instance, for which it waits within bounds. An error
// of the function is the instance's end, unless it says that a policy or a
// requirement was refused.
func (p *pool) call(ctx context.Context, ask func(*reader) error) error {
	r, err := p.takeAny(ctx)
	if err != nil {
		return err
	}
	return p.use(r, ask)
}

// callThis is call of one instance, which is waited for as long as it takes:
// what nobody has read yet has not failed.
func (p *pool) callThis(ctx context.Context, r *reader, ask func(*reader) error) error {
	if err := p.takeThis(ctx, r); err != nil {
		return err
	}
	return p.use(r, ask)
}

func (p *pool) use(r *reader, ask func(*reader) error) (err error) {
	isAlive := false
	defer func() {
		if isAlive {
			p.giveBack(r)
		} else {
			p.replace(r)
		}
	}()
	err = ask(r)
	isAlive = err == nil || isRefused(err)
	if !isAlive {
		p.logger.Error("countersign: an instance is replaced", slog.Any("error", err))
	}
	return err
}

func (p *pool) takeAny(ctx context.Context) (*reader, error) {
	p.mu.Lock()
	// A fetch that was cancelled is no reason to deny: the next policy decides.
	if p.retired || p.tasks.ctx.Err() != nil {
		p.mu.Unlock()
		return nil, errRetired
	}
	if last := len(p.free) - 1; last >= 0 {
		r := p.free[last]
		p.free = p.free[:last]
		p.mu.Unlock()
		return r, nil
	}
	turn := make(chan *reader, 1)
	place := p.waiting.PushBack(turn)
	p.mu.Unlock()
	deadline := time.NewTimer(freeDeadline)
	defer deadline.Stop()
	return p.await(ctx, turn, &p.waiting, place, deadline.C, &Trap{"no instance is free"})
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
	place := r.wanted.PushBack(turn)
	p.mu.Unlock()
	_, err := p.await(ctx, turn, &r.wanted, place, nil, nil)
	return err
}

// await waits for a turn, or leaves the queue. A turn that nobody gives any
// more is a closed channel.
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
	// The turn may have come while this one was leaving.
	select {
	case r, ok := <-turn:
		if ok {
			p.giveBack(r)
		}
	default:
	}
	return nil, err
}

// giveBack hands an instance to who waits for it: by turns to those who want
// this one, which have a document for it, and to those who want any.
func (p *pool) giveBack(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		r.instance.Close()
		return
	}
	queues := [...]*list.List{&r.wanted, &p.waiting}
	if r.wasWanted {
		slices.Reverse(queues[:])
	}
	for _, queue := range queues {
		if next := queue.Front(); next != nil {
			queue.Remove(next)
			r.wasWanted = queue == &r.wanted
			next.Value.(chan *reader) <- r
			return
		}
	}
	p.free = append(p.free, r)
}

// join adds an instance that has read everything; it reports whether this one
// has.
func (p *pool) join(r *reader) bool {
	p.mu.Lock()
	// Under the lock: who writes later finds it among those alive.
	if !p.retired && p.journals.hasNews(r) {
		p.mu.Unlock()
		return false
	}
	p.alive = append(p.alive, r)
	p.mu.Unlock()
	p.giveBack(r)
	return true
}

// replace makes one fresh instance, as long as the pool is there to take it.
func (p *pool) replace(r *reader) {
	r.instance.Close()
	p.mu.Lock()
	p.alive = slices.DeleteFunc(p.alive, func(other *reader) bool { return other == r })
	for next := r.wanted.Front(); next != nil; next = next.Next() {
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

// fresh opens an instance and has it read what the others have read.
func (p *pool) fresh() (*reader, error) {
	instance, err := openIn(p.engine, p.policy)
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

// readers lists the instances that are alive.
func (p *pool) readers() []*reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.alive)
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
