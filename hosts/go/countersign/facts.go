package countersign

// A MatchedRule is the rule of the policy that matched a request.
type MatchedRule struct {
	// Index is its place in `rules`, from 0.
	Index uint32 `json:"index"`
	// Name is its `name`; empty if it has none.
	Name string `json:"name,omitempty"`
	// Path is the pattern that matched, such as `/orgs/{org}/**`, never the path
	// of the request.
	Path string `json:"path"`
}

// facts are what the module says about a decision. Nothing in them is a token, a
// key or a claim's value.
type facts struct {
	// Nil if no rule matched, or if there was no request.
	rule *MatchedRule
	// Empty if the token was not assigned to an issuer.
	issuer string
	// Empty before the signature held.
	tokenType string
	// Nil if no token was verified.
	remembered *bool
	// Empty without a key, or before the signature held.
	subjectRef string
	// Equal effects mean the same principal, headers and changes. Empty if they
	// were not asked for, or if the request is not allowed.
	effects string
}

// facts lifts the result of `last-event`.
func (l *lifter) facts(at uint32) (facts facts) {
	if l.bool(at) {
		name, _ := l.optionalText(at + 8)
		facts.rule = &MatchedRule{Index: l.u32(at + 4), Name: name, Path: l.text(at + 20)}
	}
	facts.issuer, _ = l.optionalText(at + 28)
	facts.tokenType, _ = l.optionalText(at + 40)
	if l.bool(at + 52) {
		remembered := l.bool(at + 53)
		facts.remembered = &remembered
	}
	facts.subjectRef, _ = l.optionalText(at + 56)
	facts.effects, _ = l.optionalText(at + 68)
	return facts
}
