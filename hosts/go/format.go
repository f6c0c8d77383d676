package countersign

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// What the types that hold tokens, claims or documents look like where
// somebody prints them, by whatever verb: what kind of thing it is, in the
// policy's own names, and nothing that a caller sent. [encoding/json] says
// everything, for those who ask for it.

// Format is [fmt.Formatter]: neither documents nor tokens.
func (g *Gate) Format(s fmt.State, _ rune) { write(s, "countersign.Gate{}") }

// Format is [fmt.Formatter]: neither documents nor tokens.
func (i *Instance) Format(s fmt.State, _ rune) { write(s, "countersign.Instance{}") }

// Format is [fmt.Formatter]: issuer and token type, or the denial.
func (d Decision) Format(s fmt.State, _ rune) {
	switch {
	case d.Grant != nil:
		write(s, "countersign.Decision{allow %v}", *d.Grant)
	case d.Denial != nil:
		write(s, "countersign.Decision{deny %s}", d.Denial.Code)
	default:
		write(s, "countersign.Decision{}")
	}
}

// Format is [fmt.Formatter]: issuer and token type.
func (g Grant) Format(s fmt.State, _ rune) {
	if g.Principal == nil {
		write(s, "countersign.Grant{anonymous}")
		return
	}
	write(s, "countersign.Grant{%v}", *g.Principal)
}

// Format is [fmt.Formatter]: issuer and token type.
func (p Principal) Format(s fmt.State, _ rune) {
	write(s, "countersign.Principal{issuer: %q, token type: %q}", p.Issuer, p.TokenType)
}

// Format is [fmt.Formatter]: method, path, and how many headers.
func (r Request) Format(s fmt.State, _ rune) {
	path, _, _ := strings.Cut(r.Target, "?")
	write(s, "countersign.Request{%q %q, headers: %d}", r.Method, path, len(r.Headers))
}

// Format is [fmt.Formatter]: the name.
func (h Header) Format(s fmt.State, _ rune) { write(s, "countersign.Header{%q}", h.Name) }

// Format is [fmt.Formatter]: the fault.
func (i Inspection) Format(s fmt.State, _ rune) {
	write(s, "countersign.Inspection{fault: %q}", i.Fault)
}

// LogValue is [slog.LogValuer]: who passed by the policy's names, or the
// denial.
func (d Decision) LogValue() slog.Value {
	if d.Denial != nil {
		return d.Denial.LogValue()
	}
	return d.Grant.LogValue()
}

// LogValue is [slog.LogValuer]: that it is a gate.
func (g *Gate) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(g)) }

// LogValue keeps what the token says out of logs.
func (g *Grant) LogValue() slog.Value {
	switch {
	case g == nil:
		return slog.StringValue("none")
	case g.Principal == nil:
		return slog.StringValue("anonymous")
	}
	return g.Principal.LogValue()
}

// LogValue says by the policy's names what kind of caller it is, and nothing
// that the token says.
func (p *Principal) LogValue() slog.Value {
	if p == nil {
		return slog.StringValue("none")
	}
	return slog.GroupValue(slog.String("issuer", p.Issuer), slog.String("token_type", p.TokenType))
}

// LogValue says the code, the status and the claim's name.
func (d *Denial) LogValue() slog.Value {
	if d == nil {
		return slog.StringValue("none")
	}
	return slog.GroupValue(slog.String("code", d.Code), slog.Int("status", d.Status), slog.String("claim", d.Claim))
}

func write(w io.Writer, format string, args ...any) {
	// A printer that cannot print has nobody to tell.
	_, _ = fmt.Fprintf(w, format, args...)
}
