package countersign

import "sync"

// flights are the fetches in progress: one for each address of a document,
// shared by every request that waits for it.
type flights struct {
	mu            sync.Mutex
	byDestination map[destination]flight
}

// A destination is a document and its address. A document's address may change
// while a fetch from the old address is in progress.
type destination struct {
	source uint32
	uri    string
}

type flight struct {
	issuer string
	// Closed when the fetch has ended and every instance has the result.
	done chan struct{}
}

// join returns the fetch in progress for a document, or starts one. It returns
// false if isOver reports that a fetch has ended since the caller's instance
// asked for it, or if start reports that it did not start one.
func (f *flights) join(fetch Fetch, isOver func() bool, start func(finish func()) bool) (flight, bool) {
	to := destination{fetch.Source, fetch.URI}
	f.mu.Lock()
	defer f.mu.Unlock()
	if joined, ok := f.byDestination[to]; ok {
		return joined, true
	}
	// Under the lock: a fetch writes its result to the journal before it leaves
	// the map.
	if isOver() {
		return flight{}, false
	}
	started := flight{fetch.Issuer, make(chan struct{})}
	finish := func() {
		f.mu.Lock()
		delete(f.byDestination, to)
		f.mu.Unlock()
		close(started.done)
	}
	if !start(finish) {
		return flight{}, false
	}
	if f.byDestination == nil {
		f.byDestination = map[destination]flight{}
	}
	f.byDestination[to] = started
	return started, true
}

// list lists the fetches in progress whose issuer is wanted.
func (f *flights) list(isWanted func(issuer string) bool) (all []flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, flight := range f.byDestination {
		if isWanted(flight.issuer) {
			all = append(all, flight)
		}
	}
	return all
}
