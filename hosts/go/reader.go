package countersign

import (
	"container/list"
	"errors"
)

// A reader is an instance in a pool, that reads the journals.
type reader struct {
	instance *Instance
	// Who waits for this instance and no other: chan *reader. And whether one
	// of them had the last turn. Both are the pool's.
	wanted    list.List
	wasWanted bool

	journals     map[*journal]*progress
	requirements requirements
}

// How far an instance has read in a journal.
type progress struct {
	// Number of the last entry that it took.
	read uint64
	// What it has begun and not read to its end.
	reading *delivery
}

func newReader(instance *Instance) *reader {
	return &reader{instance: instance, journals: map[*journal]*progress{}}
}

func (r *reader) progress(j *journal) *progress {
	if _, ok := r.journals[j]; !ok {
		r.journals[j] = &progress{}
	}
	return r.journals[j]
}

// read does one slice of work on what is new in a journal, and reports whether
// there may be more.
func (r *reader) read(j *journal) (more bool, err error) {
	at := r.progress(j)
	if at.reading == nil {
		next := j.after(at.read)
		if next == nil {
			return false, nil
		}
		at.reading = &delivery{of: next}
	}
	// Another instance has judged it before it was written down.
	supplied, err := at.reading.slice(r.instance)
	if err == nil && supplied.Outcome != Unfinished {
		at.read, at.reading = at.reading.of.number, nil
	}
	return true, err
}

// The module remembers a few more than a host may (wit/countersign.wit), so
// that both always agree.
const requirementsKept = 1000

// A text that is longer is parsed each time, so that what is kept is bounded
// in bytes.
const requirementBytes = 4096

// requirements are the texts that an instance has numbered, and the numbers
// that it gave them. The least recently used one is forgotten.
type requirements struct {
	byText map[Require]*list.Element
	// Those used last stand in front: numbered.
	order list.List
}

type numbered struct {
	text   Require
	number uint32
}

// number has a requirement numbered where it is not known. One that is refused
// is a [PolicyError].
func (r *reader) number(text Require) (uint32, error) {
	if text == "" {
		return 0, nil
	}
	known := &r.requirements
	if place, ok := known.byText[text]; ok {
		known.order.MoveToFront(place)
		return place.Value.(numbered).number, nil
	}
	number, err := r.instance.Prepare(string(text))
	if err != nil || len(text) > requirementBytes {
		return number, err
	}
	if known.byText == nil {
		known.byText = map[Require]*list.Element{}
	}
	if known.order.Len() == requirementsKept {
		oldest := known.order.Remove(known.order.Back()).(numbered)
		delete(known.byText, oldest.text)
	}
	known.byText[text] = known.order.PushFront(numbered{text, number})
	return number, nil
}

func isRefused(err error) bool {
	if err == nil {
		return false
	}
	var refused *PolicyError
	return errors.As(err, &refused)
}
