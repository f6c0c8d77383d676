package countersign

import "sync"

// flights are the fetches under way, one for each document, however many
// wait for it.
type flights struct {
	mu       sync.Mutex
	underWay map[uint32]flight
}

// A flight is closed when its fetch has ended and was supplied.
type flight chan struct{}

// join joins the fetch under way for a source, or starts one; nil if isOver
// says that it has ended since the asker was told to fetch, or if start says
// that it may not.
func (f *flights) join(source uint32, isOver func() bool, start func(land func()) bool) flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if joined, ok := f.underWay[source]; ok {
		return joined
	}
	// Under the lock: a fetch writes its end down before it leaves the map.
	if isOver() {
		return nil
	}
	started := make(flight)
	land := func() {
		f.mu.Lock()
		delete(f.underWay, source)
		f.mu.Unlock()
		close(started)
	}
	if !start(land) {
		return nil
	}
	if f.underWay == nil {
		f.underWay = map[uint32]flight{}
	}
	f.underWay[source] = started
	return started
}

// all lists everything under way.
func (f *flights) all() (all []flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, flight := range f.underWay {
		all = append(all, flight)
	}
	return all
}
