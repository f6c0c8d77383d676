package countersign

import (
	"container/list"
	"errors"
)

// A reader is an instance in a pool. It reads the journals.
type reader struct {
	instance *Instance
	// The calls that wait for this instance (chan *reader), and whether the
	// last call was one of them. The pool's lock protects both.
	queue       list.List
	servedQueue bool

	journals     map[*journal]*progress
	requirements requirements
}

// A progress is the position of an instance in a journal.
type progress struct {
	// The number of the last entry that it has read.
	read uint64
	// The entry that it has partly read.
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

// read does one slice of work on the unread entries of a journal, and reports
// whether there may be more work.
func (r *reader) read(j *journal) (more bool, err error) {
	at := r.progress(j)
	if at.reading == nil {
		next := j.after(at.read)
		if next == nil {
			return false, nil
		}
		at.reading = &delivery{of: next}
	}
	// The result needs no handling: the first instance has already handled it.
	supplied, err := at.reading.slice(r.instance)
	if err == nil && supplied.Outcome != Unfinished {
		at.read, at.reading = at.reading.of.number, nil
	}
	return true, err
}

// The module keeps a few more requirements than a host may use
// (wit/countersign.wit), so that it knows every number that the host keeps.
const requirementsKept = 1000

// A longer text is parsed each time, so that the kept texts are bounded in
// bytes.
const requirementBytes = 4096

// requirements are the requirements that an instance has parsed, with their
// numbers. The least recently used one is removed first.
type requirements struct {
	byText map[Require]*list.Element
	// The values are of type numbered, the most recently used one first.
	order list.List
}

type numbered struct {
	text   Require
	number uint32
}

// number returns the number of a requirement, which the module parses if it is
// new. If it is refused, the error is a [PolicyError].
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
