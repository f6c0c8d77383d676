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

// Facts are what the module says about a decision ([Instance.LastEvent]). Nothing
// in them is a token, a key or a claim's value.
type Facts struct {
	// Rule is nil if no rule matched, or if there was no request.
	Rule *MatchedRule
	// Issuer is empty if the token was not assigned to an issuer.
	Issuer string
	// TokenType is empty before the signature held.
	TokenType string
	// Remembered is nil if no token was verified.
	Remembered *bool
	// SubjectRef is empty without a key, or before the signature held.
	SubjectRef string
	// Effects are a SHA-256, 32 bytes: equal effects mean the same principal,
	// headers and changes. Empty if they were not asked for, or if the request is
	// not allowed.
	Effects string
}

// facts lifts the result of `last-event`.
func (l *lifter) facts(at uint32) (facts Facts) {
	if l.bool(at) {
		name, _ := l.optionalText(at + 8)
		facts.Rule = &MatchedRule{Index: l.u32(at + 4), Name: name, Path: l.text(at + 20)}
	}
	facts.Issuer, _ = l.optionalText(at + 28)
	facts.TokenType, _ = l.optionalText(at + 40)
	if l.bool(at + 52) {
		remembered := l.bool(at + 53)
		facts.Remembered = &remembered
	}
	facts.SubjectRef, _ = l.optionalText(at + 56)
	facts.Effects, _ = l.optionalText(at + 68)
	return facts
}
