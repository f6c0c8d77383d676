package countersign

// An Inspection is a token decoded, verified by nobody. Never decide by it.
type Inspection struct {
	// Header and Claims are JSON texts; empty where they could not be decoded.
	Header, Claims string
	// SignatureBytes is the signature's length.
	SignatureBytes int
	// Fault is the code of the first fault of its form, if it has one.
	Fault string
}

// A Step is one check of a decision, for people. It may show claims' values.
type Step struct {
	// Check is its name in the contract.
	Check   string
	Verdict Verdict
	// Code is set where the verdict is [VerdictFail].
	Code string
	// Detail is what was compared, in words.
	Detail string
}

// Verdict is how a check ended.
type Verdict string

const (
	// VerdictPass holds: on to the next check.
	VerdictPass Verdict = "pass"
	// VerdictFail does not hold.
	VerdictFail Verdict = "fail"
	// VerdictSkip has nothing to check here.
	VerdictSkip Verdict = "skip"
	// VerdictWait waits for documents.
	VerdictWait Verdict = "wait"
)
