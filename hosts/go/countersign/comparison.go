package countersign

// A Comparison is how the decision of a candidate compares with the decision in
// force ([WithShadow]).
type Comparison string

const (
	// ComparisonAgree: both allow with the same effects (principal, headers and
	// changes), both deny with the same code, or both answer.
	ComparisonAgree Comparison = "agree"
	// ComparisonWouldAllow: the candidate admits what the policy in force denies.
	ComparisonWouldAllow Comparison = "would_allow"
	// ComparisonWouldDeny: the candidate denies what the policy in force admits.
	ComparisonWouldDeny Comparison = "would_deny"
	// ComparisonDiffers: both allow with other effects, both deny with another
	// code, or one allows what the other answers.
	ComparisonDiffers Comparison = "differs"
	// ComparisonNotCompared: the candidate could not decide without waiting, or
	// one of the two denies with the status 503.
	ComparisonNotCompared Comparison = "not_compared"
)

// compare compares the decision of a candidate with the one in force. A candidate
// that could not decide has denied with 503.
func compare(inForce, candidate *outcome) Comparison {
	isUnavailable := func(o *outcome) bool { return o.Denial != nil && o.Denial.Status == 503 }
	is := func(same bool) Comparison {
		if same {
			return ComparisonAgree
		}
		return ComparisonDiffers
	}
	switch {
	case isUnavailable(inForce) || isUnavailable(candidate):
		return ComparisonNotCompared
	case inForce.Denial != nil && candidate.Denial != nil:
		return is(inForce.Denial.Code == candidate.Denial.Code)
	case inForce.Denial != nil:
		return ComparisonWouldAllow
	case candidate.Denial != nil:
		return ComparisonWouldDeny
	case inForce.Grant != nil && candidate.Grant != nil:
		return is(inForce.facts.Effects == candidate.facts.Effects)
	}
	return is(inForce.result() == candidate.result())
}
