package countersign

import "sync"

// flights are the fetches under way, one for each address of a document,
// however many wait for it.
type flights struct {
	mu       sync.Mutex
	underWay map[destination]flight
}

// A document may move while a fetch from its old address is under way.
type destination struct {
	source uint32
	uri    string
}

type flight struct {
	issuer string
	// Closed when the fetch has ended and every instance knows.
	landed chan struct{}
}

// join joins the fetch under way for a document, or starts one; false if
// isOver says that it has ended since the asker was told to fetch, or if start
// says that it may not.
func (f *flights) join(fetch Fetch, isOver func() bool, start func(land func()) bool) (flight, bool) {
	to := destination{fetch.Source, fetch.URI}
	f.mu.Lock()
	defer f.mu.Unlock()
	if joined, ok := f.underWay[to]; ok {
		return joined, true
	}
	// Under the lock: a fetch writes its end down before it leaves the map.
	if isOver() {
		return flight{}, false
	}
	started := flight{fetch.Issuer, make(chan struct{})}
	land := func() {
		f.mu.Lock()
		delete(f.underWay, to)
		f.mu.Unlock()
		close(started.landed)
	}
	if !start(land) {
		return flight{}, false
	}
	if f.underWay == nil {
		f.underWay = map[destination]flight{}
	}
	f.underWay[to] = started
	return started, true
}

// of lists what is under way, of one issuer or of all.
func (f *flights) of(isWanted func(issuer string) bool) (all []flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, flight := range f.underWay {
		if isWanted(flight.issuer) {
			all = append(all, flight)
		}
	}
	return all
}
