package countersign

import (
	"cmp"
	"slices"
	"sync"
)

// A journal is what was supplied of one issuer's documents, so that every
// instance, also one that is made later, reads the same in the same order and
// decides the same. Issuers have journals of their own: one that supplies 32
// MiB holds up no other. Entries are numbered from 1.
type journal struct {
	// Held while an instance judges what is then written for all of them.
	writing sync.Mutex

	mu        sync.Mutex
	latest    uint64
	documents map[uint32]*kept
}

// What there is of one document: what was accepted last, and the failures
// since then, of which the last ones are kept.
type kept struct {
	accepted *entry
	failures []*entry
}

// More failures in a row make no gate wait longer.
const failuresKept = 16

// How one fetch ended; it failed if the response is nil.
type entry struct {
	number, atMS uint64
	fetch        Fetch
	response     *Response
	// The discovery document that was in force when these keys were accepted:
	// a newer one may name another address, under which they would not be.
	under *entry
}

// isNewer reports whether a fetch is of no more use to who had read up to an
// entry: it has ended since then, or its address may have moved.
func (j *journal) isNewer(fetch Fetch, read uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, entry := range j.entries() {
		isSame := entry.fetch.Source == fetch.Source && entry.fetch.URI == fetch.URI
		mayMove := fetch.Kind == KindJWKS && entry.fetch.Kind == KindDiscovery && entry.response != nil
		if entry.number > read && (isSame || mayMove) {
			return true
		}
	}
	return false
}

// fail writes that a fetch failed or its document was refused: the same to a
// gate.
func (j *journal) fail(fetch Fetch, atMS uint64) uint64 {
	return j.write(&entry{atMS: atMS, fetch: fetch}, func(document *kept, failed *entry) {
		if len(document.failures) == failuresKept {
			document.failures = slices.Delete(document.failures, 0, 1)
		}
		document.failures = append(document.failures, failed)
	})
}

func (j *journal) accept(fetch Fetch, response *Response, atMS uint64) uint64 {
	return j.write(&entry{atMS: atMS, fetch: fetch, response: response}, func(document *kept, accepted *entry) {
		if fetch.Kind == KindJWKS {
			accepted.under = j.discovery()
		}
		*document = kept{accepted: accepted}
	})
}

func (j *journal) write(next *entry, write func(*kept, *entry)) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.documents == nil {
		j.documents = map[uint32]*kept{}
	}
	document, ok := j.documents[next.fetch.Source]
	if !ok {
		document = &kept{}
		j.documents[next.fetch.Source] = document
	}
	j.latest++
	next.number = j.latest
	write(document, next)
	return next.number
}

func (j *journal) discovery() *entry {
	for _, document := range j.documents {
		if document.accepted != nil && document.accepted.fetch.Kind == KindDiscovery {
			return document.accepted
		}
	}
	return nil
}

// entries lists all that is kept in the order in which it was written.
func (j *journal) entries() (all []*entry) {
	for _, document := range j.documents {
		for _, entry := range append([]*entry{document.accepted}, document.failures...) {
			if entry == nil {
				continue
			}
			all = append(all, entry)
			if entry.under != nil {
				all = append(all, entry.under)
			}
		}
	}
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return slices.Compact(all)
}

// after is the first entry after one; nil if there is none.
func (j *journal) after(read uint64) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if read == j.latest {
		return nil
	}
	for _, entry := range j.entries() {
		if entry.number > read {
			return entry
		}
	}
	return nil
}

// Journals by the name of their issuer, of which a policy has so many.
type journals struct {
	mu       sync.Mutex
	byIssuer map[string]*journal
}

func (j *journals) of(issuer string) *journal {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.byIssuer == nil {
		j.byIssuer = map[string]*journal{}
	}
	if _, ok := j.byIssuer[issuer]; !ok {
		j.byIssuer[issuer] = &journal{}
	}
	return j.byIssuer[issuer]
}

func (j *journals) all() (all []*journal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, journal := range j.byIssuer {
		all = append(all, journal)
	}
	return all
}

func (j *journals) hasNews(r *reader) bool {
	return slices.ContainsFunc(j.all(), func(journal *journal) bool { return journal.after(r.progress(journal).read) != nil })
}

// readAll has an instance that nobody else uses read everything.
func (j *journals) readAll(r *reader) error {
	for _, journal := range j.all() {
		for {
			if more, err := r.read(journal); err != nil {
				return err
			} else if !more {
				break
			}
		}
	}
	return nil
}

// acceptedFrom is the accepted document of this kind from this address.
func (j *journals) acceptedFrom(kind DocumentKind, uri string) *entry {
	for _, journal := range j.all() {
		journal.mu.Lock()
		for _, document := range journal.documents {
			if accepted := document.accepted; accepted != nil && accepted.fetch.Kind == kind && accepted.fetch.URI == uri {
				journal.mu.Unlock()
				return accepted
			}
		}
		journal.mu.Unlock()
	}
	return nil
}
