package countersign

// A delivery brings one document to an instance, in slices.
type delivery struct {
	of *entry
	// How many slices were done.
	calls int
}

// slice does one slice of work: [Unfinished] until there is another answer.
func (d *delivery) slice(i *Instance) (supplied Supplied, err error) {
	source, uri, response, atMS := d.of.fetch.Source, d.of.fetch.URI, d.of.response, d.of.atMS
	if d.calls == 0 {
		supplied, err = i.Supply(source, uri, response, atMS)
	} else {
		supplied, err = i.Resume(source, response.Part(d.calls), atMS)
	}
	d.calls++
	return supplied, err
}
