package countersign

import "sync"

// rooms counts the requests that wait for documents. Each issuer has its own
// limit, so that an issuer that does not answer blocks only its own requests.
type rooms struct {
	mu     sync.Mutex
	places int
	taken  map[string]int
}

func (r *rooms) enter(issuer string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[issuer] >= r.places {
		return false
	}
	if r.taken == nil {
		r.taken = map[string]int{}
	}
	r.taken[issuer]++
	return true
}

func (r *rooms) leave(issuer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[issuer]--; r.taken[issuer] == 0 {
		delete(r.taken, issuer)
	}
}
