package countersign

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Types that contain tokens, claims or documents print, for every verb, only
// names from the policy and nothing that a client sent. [encoding/json] writes
// all their fields.

// Format implements [fmt.Formatter]. It prints no document and no token.
func (g *Gate) Format(s fmt.State, _ rune) { write(s, "countersign.Gate{}") }

// Format implements [fmt.Formatter]. It prints no document and no token.
func (i *Instance) Format(s fmt.State, _ rune) { write(s, "countersign.Instance{}") }

// Format implements [fmt.Formatter]. It prints the issuer and the token type,
// or the denial's code.
func (d Decision) Format(s fmt.State, _ rune) {
	switch {
	case d.Grant != nil:
		write(s, "countersign.Decision{allow %v}", *d.Grant)
	case d.Denial != nil:
		write(s, "countersign.Decision{deny %s}", d.Denial.Code)
	case d.Answered != nil:
		write(s, "countersign.Decision{answer %d}", d.Answered.Status)
	default:
		write(s, "countersign.Decision{}")
	}
}

// Format implements [fmt.Formatter]. It prints the issuer and the token type.
func (g Grant) Format(s fmt.State, _ rune) {
	if g.Principal == nil {
		write(s, "countersign.Grant{anonymous}")
		return
	}
	write(s, "countersign.Grant{%v}", *g.Principal)
}

// Format implements [fmt.Formatter]. It prints the issuer and the token type.
func (p Principal) Format(s fmt.State, _ rune) {
	write(s, "countersign.Principal{issuer: %q, token type: %q}", p.Issuer, p.TokenType)
}

// Format implements [fmt.Formatter]. It prints the method, the path and the
// number of headers.
func (r Request) Format(s fmt.State, _ rune) {
	path, _, _ := strings.Cut(r.Target, "?")
	write(s, "countersign.Request{%q %q, headers: %d}", r.Method, path, len(r.Headers))
}

// Format implements [fmt.Formatter]. It prints the issuer, the kind and the
// address without its query.
func (f Fetch) Format(s fmt.State, _ rune) {
	uri, _, _ := strings.Cut(f.URI, "?")
	write(s, "countersign.Fetch{%q %q, issuer: %q}", f.Kind, uri, f.Issuer)
}

// Format implements [fmt.Formatter]. It prints that it is a secret.
func (s Secret) Format(state fmt.State, _ rune) { write(state, "countersign.Secret{}") }

// Format implements [fmt.Formatter]. It prints the issuer, the method and the
// path.
func (o Outgoing) Format(s fmt.State, _ rune) {
	uri, _, _ := strings.Cut(o.URI, "?")
	write(s, "countersign.Outgoing{%q %q, issuer: %q}", o.Method, uri, o.Issuer)
}

// Format implements [fmt.Formatter]. It prints the name.
func (h Header) Format(s fmt.State, _ rune) { write(s, "countersign.Header{%q}", h.Name) }

// Format implements [fmt.Formatter]. It prints the fault.
func (i Inspection) Format(s fmt.State, _ rune) {
	write(s, "countersign.Inspection{fault: %q}", i.Fault)
}

// LogValue implements [slog.LogValuer]. It logs the grant's issuer and token
// type, or the denial.
func (d Decision) LogValue() slog.Value {
	switch {
	case d.Denial != nil:
		return d.Denial.LogValue()
	case d.Answered != nil:
		return slog.StringValue("answered")
	}
	return d.Grant.LogValue()
}

// LogValue implements [slog.LogValuer]. It logs only that this is a gate.
func (g *Gate) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(g)) }

// LogValue implements [slog.LogValuer]. It logs the issuer and the token type,
// and no claim of the token.
func (g *Grant) LogValue() slog.Value {
	switch {
	case g == nil:
		return slog.StringValue("none")
	case g.Principal == nil:
		return slog.StringValue("anonymous")
	}
	return g.Principal.LogValue()
}

// LogValue implements [slog.LogValuer]. It logs the issuer's name in the policy
// and the token type, and no claim of the token.
func (p *Principal) LogValue() slog.Value {
	if p == nil {
		return slog.StringValue("none")
	}
	return slog.GroupValue(slog.String("issuer", p.Issuer), slog.String("token_type", p.TokenType))
}

// LogValue implements [slog.LogValuer]. It logs the code, the status, the
// claim's name and the principal's name.
func (d *Denial) LogValue() slog.Value {
	if d == nil {
		return slog.StringValue("none")
	}
	return slog.GroupValue(slog.String("code", d.Code), slog.Int("status", d.Status), slog.String("claim", d.Claim), slog.String("principal", d.Principal))
}

func write(w io.Writer, format string, args ...any) {
	// [fmt.Formatter] has no way to return an error.
	_, _ = fmt.Fprintf(w, format, args...)
}
