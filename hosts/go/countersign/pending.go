package countersign

import "sync"

// pending are the exchanges in progress: one for each destination, shared by
// every decision that waits for it.
type pending[K comparable] struct {
	mu            sync.Mutex
	byDestination map[K]pendingFetch
}

// A destination is a document and its address. A document's address may change
// while a fetch from the old address is in progress.
type destination struct {
	source uint32
	uri    string
}

// A ticket is a request or a proof of one instance. Only that instance takes the
// answer.
type ticket struct {
	reader *reader
	number uint64
}

// A pendingFetch is one fetch or request in progress.
type pendingFetch struct {
	// Of a proof, noIssuer.
	issuer string
	// Closed when the fetch has ended and every instance that needs the result
	// has it.
	done chan struct{}
	// What it got. Valid when done is closed.
	got *learnt
}

// gotBy lists what these have got, which have ended. Of documents that is
// nothing.
func gotBy(ended []pendingFetch) (all []learnt) {
	for _, fetch := range ended {
		if fetch.got.request != nil || fetch.got.proof != nil {
			all = append(all, *fetch.got)
		}
	}
	return all
}

// join returns the fetch in progress, or starts one. It returns false if isOver
// reports that a fetch has ended since the caller's instance asked for it, or if
// start reports that it did not start one.
func (f *pending[K]) join(to K, issuer string, isOver func() bool, start func(finish func(learnt)) bool) (pendingFetch, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if joined, ok := f.byDestination[to]; ok {
		return joined, true
	}
	// Under the lock: a fetch writes its result to the journal before it leaves
	// the map.
	if isOver() {
		return pendingFetch{}, false
	}
	started := pendingFetch{issuer, make(chan struct{}), &learnt{}}
	finish := func(got learnt) {
		*started.got = got
		f.mu.Lock()
		delete(f.byDestination, to)
		f.mu.Unlock()
		close(started.done)
	}
	if !start(finish) {
		return pendingFetch{}, false
	}
	if f.byDestination == nil {
		f.byDestination = map[K]pendingFetch{}
	}
	f.byDestination[to] = started
	return started, true
}

// never is for what has no earlier end: its ticket is asked about once.
func never() bool { return false }

// list lists the fetches in progress whose issuer is wanted.
func (f *pending[K]) list(isWanted func(issuer string) bool) (all []pendingFetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fetch := range f.byDestination {
		if isWanted(fetch.issuer) {
			all = append(all, fetch)
		}
	}
	return all
}
