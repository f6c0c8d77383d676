package countersign

import (
	"cmp"
	"slices"
	"sync"
)

// A journal records the documents supplied for one issuer. Every instance,
// also one that is created later, reads the same entries in the same order and
// so makes the same decisions. Each issuer has its own journal, so that a
// document of 32 MiB does not delay another issuer. Entries are numbered from 1.
type journal struct {
	// Held while the first instance reads a document and the result is written.
	writing sync.Mutex

	mu        sync.Mutex
	latest    uint64
	documents map[uint32]*documentHistory
}

// A documentHistory is the history of one document: the last accepted version
// and the last failures since then.
type documentHistory struct {
	accepted *entry
	failures []*entry
}

// After so many failures in a row the gate's delay between fetches no longer
// increases, so older ones are not needed.
const failuresKept = 16

// An entry is the result of one fetch. The response is nil if the fetch failed.
type entry struct {
	number, atMS uint64
	fetch        Fetch
	response     *Response
	// The discovery document that was in force when these keys were accepted. A
	// newer one may give another address, and then the keys would be refused.
	under *entry
}

// isNewer reports whether the journal has, after entry `read`, the result of
// this fetch, or a discovery document that may have changed the address. An
// instance that has read up to `read` then does not need the fetch.
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

// fail records that a fetch failed or that its document was refused. The gate
// treats both alike.
func (j *journal) fail(fetch Fetch, atMS uint64) uint64 {
	return j.write(&entry{atMS: atMS, fetch: fetch}, func(document *documentHistory, failed *entry) {
		if len(document.failures) == failuresKept {
			document.failures = slices.Delete(document.failures, 0, 1)
		}
		document.failures = append(document.failures, failed)
	})
}

func (j *journal) accept(fetch Fetch, response *Response, atMS uint64) uint64 {
	return j.write(&entry{atMS: atMS, fetch: fetch, response: response}, func(document *documentHistory, accepted *entry) {
		if fetch.Kind == KindJWKS {
			accepted.under = j.discovery()
		}
		*document = documentHistory{accepted: accepted}
	})
}

func (j *journal) write(next *entry, write func(*documentHistory, *entry)) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.documents == nil {
		j.documents = map[uint32]*documentHistory{}
	}
	document, ok := j.documents[next.fetch.Source]
	if !ok {
		document = &documentHistory{}
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

// age returns the age of a document in force at a time, in milliseconds, or nil.
func (j *journal) age(source uint32, nowMS uint64) *int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	document, ok := j.documents[source]
	if !ok || document.accepted == nil {
		return nil
	}
	age := max(int64(nowMS)-int64(document.accepted.atMS), 0)
	return &age
}

// entries lists all kept entries in the order in which they were written.
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

// after returns the first entry after number `read`, or nil.
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

// journals has one journal for each issuer of the policy, by its name.
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

// isSame reports whether two fetches get the same document. Other headers can
// belong to another customer of the server.
func (f Fetch) isSame(other Fetch) bool {
	return f.Kind == other.Kind && f.URI == other.URI && slices.Equal(f.Headers, other.Headers)
}

func (j *journals) all() (all []*journal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, journal := range j.byIssuer {
		all = append(all, journal)
	}
	return all
}

func (j *journals) hasUnread(r *reader) bool {
	return slices.ContainsFunc(j.all(), func(journal *journal) bool { return journal.after(r.progress(journal).read) != nil })
}

// readAll makes an instance read everything. No other goroutine may use the
// instance meanwhile.
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

// acceptedFrom returns the accepted document that was fetched as this one is, or
// nil.
func (j *journals) acceptedFrom(fetch Fetch) *entry {
	for _, journal := range j.all() {
		journal.mu.Lock()
		for _, document := range journal.documents {
			if accepted := document.accepted; accepted != nil && accepted.fetch.isSame(fetch) {
				journal.mu.Unlock()
				return accepted
			}
		}
		journal.mu.Unlock()
	}
	return nil
}
