package countersign

import (
	"encoding/json"
	"time"
)

// A DecisionEvent is what an operator may know about one decision. It contains
// no token, no key, no value of a claim, and nothing of a request's path and
// query. docs/events.md of the repository describes it for all hosts; the JSON
// names are the same there.
type DecisionEvent struct {
	// Decision is the result. A candidate that could not decide without waiting
	// has denied with 503.
	Decision Result `json:"decision"`
	// Code, Claim and Principal are those of the [Denial]: names, never values.
	Code      string `json:"code,omitempty"`
	Status    int    `json:"status,omitempty"` // HTTP, of a denial or an answer
	Claim     string `json:"claim,omitempty"`
	Principal string `json:"principal,omitempty"`
	// Rule is nil if no rule matched, or if there was no request.
	Rule *MatchedRule `json:"rule,omitempty"`
	// Issuer is the policy's name of the issuer to which the user's token was
	// assigned, whether it was good or not; else empty.
	Issuer string `json:"issuer,omitempty"`
	// TokenType is empty before the signature held, and if the issuer has no
	// types.
	TokenType string `json:"token_type,omitempty"`
	// Remembered is nil if no token was verified.
	Remembered *bool `json:"remembered,omitempty"`
	// WaitedMS is the time for which the decision waited for documents, requests
	// and proofs, in milliseconds.
	WaitedMS float64 `json:"waited_ms"`
	Mode     Mode    `json:"mode"`
	// Comparison is set only in [ModeShadow].
	Comparison Comparison `json:"comparison,omitempty"`
	// SubjectRef identifies the subject to those who have the key
	// ([WithSubjectKey]); empty without a key, or before the signature held.
	SubjectRef string `json:"subject_ref,omitempty"`
	// PolicyDigest is [PolicyDigest] of the policy that decided; empty if the
	// gate was closed.
	PolicyDigest string `json:"policy_digest,omitempty"`
	// ModuleDigest is [SHA256].
	ModuleDigest string `json:"module_digest"`
}

// A Result is the kind of a decision.
type Result string

const (
	// ResultAllow: the request is allowed.
	ResultAllow Result = "allow"
	// ResultDeny: it is denied.
	ResultDeny Result = "deny"
	// ResultAnswer: the gate answers it itself ([Answered]).
	ResultAnswer Result = "answer"
)

// A Mode says what a decision is for.
type Mode string

const (
	// ModeEnforced: the decision counts.
	ModeEnforced Mode = "enforced"
	// ModeObserved: nothing is enforced ([Gate.Observe]).
	ModeObserved Mode = "observed"
	// ModeShadow: the decision is the candidate's ([WithShadow]).
	ModeShadow Mode = "shadow"
)

// A DocumentEvent is what an operator may know about one fetch of a document. It
// contains no byte of the document, and no address, which can hold a secret.
type DocumentEvent struct {
	Kind DocumentKind `json:"kind"`
	// Issuer is the policy's name of the issuer.
	Issuer  string          `json:"issuer"`
	Outcome DocumentOutcome `json:"outcome"`
	// Reason is empty if the document was accepted.
	Reason DocumentReason `json:"reason,omitempty"`
	// Detail is the HTTP status, or the code of the problem and its place; else
	// empty.
	Detail string `json:"detail,omitempty"`
	// AgeMS is the age of the document that is in force now, in milliseconds; nil
	// if there is none.
	AgeMS *int64 `json:"age_ms,omitempty"`
	// Used is the number of keys, API keys or revocations of an accepted document
	// that are used, Skipped the number of problems of what is not. In JSON only
	// an accepted document has them.
	Used    int  `json:"-"`
	Skipped int  `json:"-"`
	Mode    Mode `json:"mode"`
	// PolicyDigest is [PolicyDigest] of the policy that needs the document.
	PolicyDigest string `json:"policy_digest"`
}

// A DocumentOutcome is the outcome of a fetch.
type DocumentOutcome string

const (
	// DocumentAccepted: the document is in force.
	DocumentAccepted DocumentOutcome = "accepted"
	// DocumentRefused: it came and cannot be used.
	DocumentRefused DocumentOutcome = "refused"
	// DocumentFailed: it did not come.
	DocumentFailed DocumentOutcome = "failed"
)

// MarshalJSON writes the members that docs/events.md of the repository lists.
func (e DocumentEvent) MarshalJSON() ([]byte, error) {
	// Without the methods, or it would call itself.
	type members DocumentEvent
	written := struct {
		members
		Used    *int `json:"used,omitempty"`
		Skipped *int `json:"skipped,omitempty"`
	}{members: members(e)}
	if e.Outcome == DocumentAccepted {
		written.Used, written.Skipped = &e.Used, &e.Skipped
	}
	return json.Marshal(written)
}

// outcome is a decision and what is known about it.
type outcome struct {
	Decision
	facts  Facts
	waited time.Duration
	// The policy that decided; nil if the gate is closed.
	by *generation
	purpose
	// What the candidate may use.
	got []learnt
}

// purpose is what a decision is for, beside the decision itself.
type purpose struct {
	// Whether a candidate's decision is compared with this one.
	isCompared bool
	// Not nil if the decision is only observed. It is called before the decision
	// waits for documents or responses. Such a decision uses up no proof.
	waits func()
}

func (p purpose) isObserved() bool { return p.waits != nil }

func (o *outcome) result() Result {
	switch {
	case o.Grant != nil:
		return ResultAllow
	case o.Denial != nil:
		return ResultDeny
	case o.Answered != nil:
		return ResultAnswer
	}
	return ""
}

func (o *outcome) event(mode Mode) DecisionEvent {
	event := DecisionEvent{
		Decision:     o.result(),
		Rule:         o.facts.Rule,
		Issuer:       o.facts.Issuer,
		TokenType:    o.facts.TokenType,
		Remembered:   o.facts.Remembered,
		WaitedMS:     float64(o.waited) / float64(time.Millisecond),
		Mode:         mode,
		SubjectRef:   o.facts.SubjectRef,
		ModuleDigest: SHA256(),
	}
	if o.by != nil {
		event.PolicyDigest = o.by.digest
	}
	switch {
	case o.Denial != nil:
		event.Code, event.Status = o.Denial.Code, o.Denial.Status
		event.Claim, event.Principal = o.Denial.Claim, o.Denial.Principal
	case o.Answered != nil:
		event.Status = o.Answered.Status
	}
	return event
}
