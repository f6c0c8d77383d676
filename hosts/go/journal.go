package countersign

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A journal is what was supplied to the instances of one policy, so that each
// of them, also one that is made later, reads the same and decides the same:
// the last accepted document of each source, the failure since then, and
// every prepared requirement. Entries are numbered from 1.
type journal struct {
	// Number of the last entry: what one atomic load tells a reader.
	latest atomic.Uint64

	mu           sync.Mutex
	documents    map[uint32]*kept
	requirements []string
}

type kept struct {
	fetch            Fetch
	accepted, failed *entry
}

// How one fetch ended; it failed if the response is nil.
type entry struct {
	number, atMS uint64
	source       uint32
	response     *Response
}

// isNewer reports whether somebody wrote about this source after entry `read`.
func (j *journal) isNewer(source uint32, read uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept, ok := j.documents[source]
	isNewer := func(e *entry) bool { return e != nil && e.number > read }
	return ok && (isNewer(kept.accepted) || isNewer(kept.failed))
}

// acceptedFrom is the accepted document of this kind from this address.
func (j *journal) acceptedFrom(kind DocumentKind, uri string) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, kept := range j.documents {
		if kept.fetch.Kind == kind && kept.fetch.URI == uri {
			return kept.accepted
		}
	}
	return nil
}

// prepared lists every requirement, in order.
func (j *journal) prepared() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requirements)
}

// failed writes that a fetch failed or its document was refused: the same to
// a gate.
func (j *journal) failed(fetch Fetch, atMS uint64) uint64 {
	return j.write(func(number uint64) {
		document, ok := j.documents[fetch.Source]
		if !ok {
			document = &kept{fetch: fetch}
			j.documents[fetch.Source] = document
		}
		document.failed = &entry{number: number, atMS: atMS, source: fetch.Source}
	})
}

func (j *journal) accept(fetch Fetch, response *Response, atMS uint64) uint64 {
	return j.write(func(number uint64) {
		accepted := &entry{number, atMS, fetch.Source, response}
		j.documents[fetch.Source] = &kept{fetch: fetch, accepted: accepted}
	})
}

// write writes the next entry; readers see its number only when it is whole.
func (j *journal) write(write func(number uint64)) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.documents == nil {
		j.documents = map[uint32]*kept{}
	}
	number := j.latest.Load() + 1
	write(number)
	j.latest.Store(number)
	return number
}

// since lists the entries after `read` in the order in which a gate can take
// them: a discovery document before what it names.
func (j *journal) since(read uint64) (latest uint64, news []*entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	order := func(e *entry) int {
		if j.documents[e.source].fetch.Kind == KindDiscovery {
			return 0
		}
		return 1
	}
	for _, kept := range j.documents {
		for _, entry := range []*entry{kept.accepted, kept.failed} {
			if entry != nil && entry.number > read {
				news = append(news, entry)
			}
		}
	}
	slices.SortFunc(news, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.number, b.number))
	})
	return j.latest.Load(), news
}

// A reader is an instance that reads the journal.
type reader struct {
	instance *Instance
	// Number of the last entry that it took.
	read uint64
	// What the instance calls the journal's requirements.
	requirements []uint32
}

// catchUp takes what was written since the reader last looked.
func (r *reader) catchUp(j *journal) error {
	if j.latest.Load() == r.read {
		return nil
	}
	latest, news := j.since(r.read)
	for _, entry := range news {
		// Another instance has judged it before it was written down.
		if _, _, err := r.instance.Supply(entry.source, entry.response, entry.atMS); err != nil {
			return err
		}
	}
	for _, text := range j.prepared()[len(r.requirements):] {
		number, err := r.instance.Prepare(text)
		if isRefused(err) {
			// No gate gives out this number: whoever asks for it is denied.
			number, err = math.MaxUint32, nil
		}
		if err != nil {
			return err
		}
		r.requirements = append(r.requirements, number)
	}
	r.read = latest
	return nil
}

// supply judges how a fetch ended and writes it down. Nobody else may write
// between the reader's catching up and this.
func (r *reader) supply(j *journal, fetch Fetch, response *Response, atMS uint64) (bool, []Problem, error) {
	accepted, problems, err := r.instance.Supply(fetch.Source, response, atMS)
	switch {
	case err != nil:
	case accepted:
		r.read = j.accept(fetch, response, atMS)
	default:
		r.read = j.failed(fetch, atMS)
	}
	return accepted, problems, err
}

// prepare parses a requirement and writes it down, under the same condition:
// its place in the journal.
func (r *reader) prepare(j *journal, text string) (place int, err error) {
	if place := slices.Index(j.prepared(), text); place >= 0 {
		return place, nil
	}
	number, err := r.instance.Prepare(text)
	if err != nil {
		return 0, err
	}
	r.requirements = append(r.requirements, number)
	r.read = j.write(func(uint64) { j.requirements = append(j.requirements, text) })
	return len(r.requirements) - 1, nil
}

func isRefused(err error) bool {
	var refused *PolicyError
	return errors.As(err, &refused)
}
