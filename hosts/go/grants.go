package countersign

// As many as tokens are remembered, by default.
const grantPlaces = 1024

// grants holds what grants say by their numbers, so that the module is asked
// once for each. A number has one place, from which a newer one takes it.
type grants struct {
	places []numberedGrant
}

type numberedGrant struct {
	number uint64
	grant  *Grant
}

func (g *grants) find(number uint64) *Grant {
	if g.places == nil {
		return nil
	}
	if place := g.places[number%grantPlaces]; place.number == number {
		return place.grant
	}
	return nil
}

func (g *grants) keep(number uint64, grant *Grant) {
	if g.places == nil {
		g.places = make([]numberedGrant, grantPlaces)
	}
	g.places[number%grantPlaces] = numberedGrant{number, grant}
}
