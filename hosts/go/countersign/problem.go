package countersign

import "strings"

// A Problem is one problem of a policy, a requirement or a document.
type Problem struct {
	// Pointer is a JSON Pointer (RFC 6901) to its place; empty for the whole
	// text.
	Pointer string
	// Code is a stable code, such as `field_unknown`.
	Code string
	// Message describes the problem and how to correct it.
	Message  string
	Severity Severity
}

// Severity is the severity of a problem.
type Severity string

const (
	// SeverityError means that the policy or the document is refused.
	SeverityError Severity = "error"
	// SeverityWarning means that it is accepted, but probably not as intended.
	SeverityWarning Severity = "warning"
)

func (p Problem) String() string {
	text := p.Message + " (" + p.Code + ")"
	if p.Pointer != "" {
		text = p.Pointer + ": " + text
	}
	if p.Severity == SeverityWarning {
		text = "warning: " + text
	}
	return text
}

// A PolicyError means that a policy or a requirement is refused. It lists every
// problem.
type PolicyError struct {
	Problems []Problem
}

func (e *PolicyError) Error() string {
	var text strings.Builder
	text.WriteString("countersign: the policy is refused:")
	for _, problem := range e.Problems {
		text.WriteString("\n  " + problem.String())
	}
	return text.String()
}

// problemOf returns a problem that the host has found, not the module.
func problemOf(code, message string) *PolicyError {
	return &PolicyError{[]Problem{{Code: code, Message: message, Severity: SeverityError}}}
}

// A Trap means that an instance of the module died. It cannot be used any more,
// and the call's result must not admit a request.
type Trap struct {
	reason string
}

func (t *Trap) Error() string { return "countersign: the instance died: " + t.reason }
