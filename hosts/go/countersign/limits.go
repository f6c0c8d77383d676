package countersign

import "sync"

// waitLimits counts the requests that wait for documents. Each issuer has its
// own limit, so that an issuer that does not answer blocks only its own
// requests.
type waitLimits struct {
	mu      sync.Mutex
	limit   int
	waiting map[string]int
}

func (w *waitLimits) acquire(issuer string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[issuer] >= w.limit {
		return false
	}
	if w.waiting == nil {
		w.waiting = map[string]int{}
	}
	w.waiting[issuer]++
	return true
}

func (w *waitLimits) release(issuer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[issuer]--; w.waiting[issuer] == 0 {
		delete(w.waiting, issuer)
	}
}
