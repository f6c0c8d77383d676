package countersign

// A document is copied into a module's memory in pieces of this size, which
// take a few milliseconds each.
const pieceBytes = 4 << 20

// A delivery brings one document to an instance, in slices.
type delivery struct {
	of *entry
	// Where the pieces of a large body go, and how many bytes are there.
	room, copied int
	// The module has it, and is to go on.
	isSupplied bool
}

// slice does one slice of work: [Unfinished] until there is another answer.
func (d *delivery) slice(i *Instance) (supplied Supplied, err error) {
	source, uri, response, atMS := d.of.fetch.Source, d.of.fetch.URI, d.of.response, d.of.atMS
	switch {
	case d.isSupplied:
		return i.Resume(source, atMS)
	case response == nil || len(response.Body) <= pieceBytes:
		supplied, err = i.Supply(source, uri, response, atMS)
	case d.copied < len(response.Body):
		return Supplied{Outcome: Unfinished}, d.copy(i, response.Body)
	default:
		supplied, err = i.supply(source, uri, response, uint64(d.room), uint64(d.copied), atMS)
	}
	d.isSupplied = true
	return supplied, err
}

// copy copies the next piece. The room is the module's until it is supplied.
func (d *delivery) copy(i *Instance, body []byte) error {
	if d.copied == 0 {
		lower := i.guest.lower()
		d.room = int(lower.room(1, uint64(len(body))))
		if lower.err != nil {
			return dead(lower.err)
		}
	}
	end := min(d.copied+pieceBytes, len(body))
	if !i.guest.memory.Write(uint32(d.room+d.copied), body[d.copied:end]) {
		return dead(errOutside)
	}
	d.copied = end
	return nil
}
