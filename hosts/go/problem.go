package countersign

import "strings"

// A Problem is what is wrong with a policy, a requirement or a document.
type Problem struct {
	// Pointer is a JSON Pointer (RFC 6901); empty for the whole.
	Pointer string
	// Code is stable, such as `field_unknown`.
	Code string
	// Message says what to do about it, in an operator's words.
	Message  string
	Severity Severity
}

// Severity is how much a problem matters.
type Severity string

const (
	// SeverityError refuses the policy or the document.
	SeverityError Severity = "error"
	// SeverityWarning works, and somebody should look.
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

// A PolicyError is a policy or a requirement that is refused: every problem
// of it, at once.
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

// A Trap is the death of an instance of the module. Nothing more can be asked
// of it, and nothing it said may admit a request.
type Trap struct {
	reason string
}

func (t *Trap) Error() string { return "countersign: the instance died: " + t.reason }
