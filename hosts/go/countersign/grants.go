package countersign

const (
	// The number of grants kept: the module's default for tokens.
	grantPlaces = 1024
	// The bytes of all kept grants: the module's own limit for tokens.
	grantBytes = 3 << 20
)

// grants caches grants by their numbers, so that the host reads each from the
// module once. A number has one place; a newer number replaces an older one
// there.
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
	// Numbers increase: the place after the newest has the oldest.
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

// bytes estimates the memory of a grant.
func (g *Grant) bytes() int {
	const each = 16 // a string header: two words
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
		count(p.Tenants...)
		count(p.Roles...)
		count(p.Scopes...)
	}
	return bytes
}
