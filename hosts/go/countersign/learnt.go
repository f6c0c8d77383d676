package countersign

import (
	"bytes"
	"slices"
)

// learnt is what a decision learnt from others: the response to a request,
// or whether a proof is used for the first time.
type learnt struct {
	// One of the two, or none for a document.
	request *Outgoing
	proof   *Proof

	response *Response
	isFirst  bool
	unknown  error
}

// learntOf returns the one that is wanted, or nil.
func learntOf(all []learnt, isWanted func(learnt) bool) *learnt {
	if at := slices.IndexFunc(all, isWanted); at >= 0 {
		return &all[at]
	}
	return nil
}

// isSame reports whether two requests ask the same server the same. Their headers
// have only the client's own credentials.
func (o *Outgoing) isSame(other Outgoing) bool {
	return o.Method == other.Method && o.URI == other.URI && bytes.Equal(o.Body, other.Body)
}
