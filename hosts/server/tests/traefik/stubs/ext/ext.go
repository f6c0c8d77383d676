// Package ext stands in for the extensions of Traefik's dynamic configuration, of which
// there are none.
package ext

// HTTP has no members.
type HTTP struct{}

// Router has no members.
type Router struct{}

// RouterIng has no members.
type RouterIng struct{}

// ToRouter makes a Router.
func (RouterIng) ToRouter() Router { return Router{} }
