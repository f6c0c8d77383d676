package countersign

import "sync"

// pendingFetches are the fetches in progress: one for each address of a
// document, shared by every request that waits for it.
type pendingFetches struct {
	mu            sync.Mutex
	byDestination map[destination]pendingFetch
}

// A destination is a document and its address. A document's address may change
// while a fetch from the old address is in progress.
type destination struct {
	source uint32
	uri    string
}

// A pendingFetch is one fetch in progress.
type pendingFetch struct {
	issuer string
	// Closed when the fetch has ended and every instance has the result.
	done chan struct{}
}

// join returns the fetch in progress for a document, or starts one. It returns
// false if isOver reports that a fetch has ended since the caller's instance
// asked for it, or if start reports that it did not start one.
func (f *pendingFetches) join(fetch Fetch, isOver func() bool, start func(finish func()) bool) (pendingFetch, bool) {
	to := destination{fetch.Source, fetch.URI}
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
	started := pendingFetch{fetch.Issuer, make(chan struct{})}
	finish := func() {
		f.mu.Lock()
		delete(f.byDestination, to)
		f.mu.Unlock()
		close(started.done)
	}
	if !start(finish) {
		return pendingFetch{}, false
	}
	if f.byDestination == nil {
		f.byDestination = map[destination]pendingFetch{}
	}
	f.byDestination[to] = started
	return started, true
}

// list lists the fetches in progress whose issuer is wanted.
func (f *pendingFetches) list(isWanted func(issuer string) bool) (all []pendingFetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fetch := range f.byDestination {
		if isWanted(fetch.issuer) {
			all = append(all, fetch)
		}
	}
	return all
}
