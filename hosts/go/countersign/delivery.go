package countersign

// A delivery hands one document to an instance, in slices.
type delivery struct {
	of *entry
	// The number of finished slices.
	calls int
}

// slice does one slice of work. The outcome is [Unfinished] until the last one.
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
