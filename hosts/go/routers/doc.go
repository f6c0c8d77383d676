// Package routers holds tests of the gate in front of routers that are not in
// the standard library, which the gate's own module does not depend on.
package routers
