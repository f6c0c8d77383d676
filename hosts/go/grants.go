package countersign

const (
	// As many as tokens are remembered, by default.
	grantPlaces = 1024
	// What they may hold together, as the module's own memory of tokens may.
	grantBytes = 3 << 20
)

// grants holds what grants say by their numbers, so that the module is asked
// once for each. A number has one place, from which a newer one takes it.
type grants struct {
	places []numberedGrant
	bytes  int
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
	g.forget(number)
	g.bytes += grant.bytes()
	g.places[number%grantPlaces] = numberedGrant{number, grant}
	// Numbers rise: the oldest stands behind the newest.
	for next := number + 1; g.bytes > grantBytes; next++ {
		g.forget(next)
	}
}

func (g *grants) forget(number uint64) {
	place := &g.places[number%grantPlaces]
	if place.grant != nil {
		g.bytes -= place.grant.bytes()
	}
	*place = numberedGrant{}
}

// bytes is about what a grant holds in memory.
func (g *Grant) bytes() int {
	const each = 16 // a text's own two words
	bytes := 256
	count := func(texts ...string) {
		for _, text := range texts {
			bytes += len(text) + each
		}
	}
	count(g.RemoveHeaders...)
	for _, field := range g.SetHeaders {
		count(field.Name, field.Value)
	}
	if p := g.Principal; p != nil {
		count(p.Issuer, p.Iss, p.Subject, p.Tenant, p.TokenType, p.Claims)
		count(p.Roles...)
		count(p.Scopes...)
	}
	return bytes
}
