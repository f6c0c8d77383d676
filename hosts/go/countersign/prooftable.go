package countersign

import (
	"container/heap"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

const (
	proofPlaces = 100_000
	// What each key may use, however few places are free.
	proofShare = 1_000
)

var (
	errTableFull = errors.New("the table of used proofs is full")
	errShareUsed = errors.New("one key has used its share of the table of used proofs")
)

// processProofs are the used proofs of all gates of this process. A proof that
// one gate has admitted is no first use for another one.
var processProofs = newProofTable(proofPlaces, proofShare)

// A proofTable records used proofs until they expire. The gate's clock can be set
// forward and back, which would make a forgotten proof good again: a proof stays
// until a monotonic clock says so too. A key may use as many places as are free,
// at least its share: one that floods the table takes half of it, and ten take
// ten elevenths.
type proofTable struct {
	places, share int
	// A monotonic clock.
	elapsed func() time.Duration

	mu sync.Mutex
	// The owner of each proof, and how many each has.
	owners map[[sha256.Size]byte][sha256.Size]byte
	counts map[[sha256.Size]byte]int
	expiry expiries
}

var processStart = time.Now()

// The longest time that is counted. No gate takes a proof that is so old.
const longestProof = 30 * 24 * time.Hour

func newProofTable(places, share int) *proofTable {
	return &proofTable{
		places:  places,
		share:   share,
		elapsed: func() time.Duration { return time.Since(processStart) },
		owners:  map[[sha256.Size]byte][sha256.Size]byte{},
		counts:  map[[sha256.Size]byte]int{},
	}
}

// enter records a proof, and reports whether it is its first use. An error
// means that there is no place for it.
func (t *proofTable) enter(proof Proof, now time.Time) (isFirst bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetUntil(now.UnixMilli())
	if _, ok := t.owners[proof.ID]; ok {
		return false, nil
	}
	free := t.places - len(t.owners)
	switch {
	case free == 0:
		return false, errTableFull
	case t.counts[proof.Owner] >= max(free, t.share):
		return false, errShareUsed
	}
	t.owners[proof.ID] = proof.Owner
	t.counts[proof.Owner]++
	until := t.elapsed() + min(proof.Expires.Sub(now), longestProof)
	heap.Push(&t.expiry, expiring{proof.Expires.UnixMilli(), until, proof.ID})
	return true, nil
}

// forgetUntil removes what has expired: each proof once, the first to expire
// first.
func (t *proofTable) forgetUntil(nowMS int64) {
	elapsed := t.elapsed()
	for len(t.expiry) > 0 && t.expiry[0].ms <= nowMS && t.expiry[0].until <= elapsed {
		id := heap.Pop(&t.expiry).(expiring).id
		owner := t.owners[id]
		delete(t.owners, id)
		if t.counts[owner]--; t.counts[owner] == 0 {
			delete(t.counts, owner)
		}
	}
}

// An expiring is a proof and the time when it expires, by the gate's clock in
// milliseconds and by the monotonic one.
type expiring struct {
	ms    int64
	until time.Duration
	id    [sha256.Size]byte
}

// expiries is a heap: the first to expire is at its top.
type expiries []expiring

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(a, b int) bool { return e[a].ms < e[b].ms }
func (e expiries) Swap(a, b int)      { e[a], e[b] = e[b], e[a] }
func (e *expiries) Push(one any)      { *e = append(*e, one.(expiring)) }

func (e *expiries) Pop() any {
	last := len(*e) - 1
	one := (*e)[last]
	*e = (*e)[:last]
	return one
}
