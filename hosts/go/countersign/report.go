package countersign

// An Inspection is a decoded token that is not verified. Never use it to
// decide.
type Inspection struct {
	// Header and Claims are JSON texts; empty if they could not be decoded.
	Header, Claims string
	// SignatureBytes is the length of the signature in bytes.
	SignatureBytes int
	// Fault is the code of the first error in the token's format; empty if there
	// is none.
	Fault string
	// Detail says in words what that error is. It may contain parts of the
	// token.
	Detail string
}

// A Step is one check of a decision. It may contain values of claims.
type Step struct {
	// Check is the name of the check in the contract.
	Check   string
	Verdict Verdict
	// Code is set if the verdict is [VerdictFail].
	Code string
	// Detail describes what was compared.
	Detail string
}

// Verdict is the result of a check.
type Verdict string

const (
	// VerdictPass: the check passed.
	VerdictPass Verdict = "pass"
	// VerdictFail: the check failed.
	VerdictFail Verdict = "fail"
	// VerdictSkip: there was nothing to check.
	VerdictSkip Verdict = "skip"
	// VerdictWait: the check waits for documents.
	VerdictWait Verdict = "wait"
)
