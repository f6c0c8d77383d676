package countersign

import "time"

// A Fetch is a document that the gate needs. The host fetches it with GET,
// without redirects, within Timeout and MaxBytes.
type Fetch struct {
	// Source identifies the document in [Instance.Supply].
	Source uint32
	// Issuer is the issuer's name in the policy.
	Issuer string
	Kind   DocumentKind
	// URI has the scheme `https`, or `http` if the policy allows it.
	URI string
	// Headers are sent with the fetch. They have lower-case names, and can contain
	// a secret: never log them.
	Headers []Header
	// Timeout bounds the whole fetch.
	Timeout time.Duration
	// MaxBytes bounds the body.
	MaxBytes uint32
}

// DocumentKind is the kind of a document.
type DocumentKind string

const (
	// KindDiscovery is OpenID Provider metadata (OpenID Connect Discovery 1.0
	// §4).
	KindDiscovery DocumentKind = "discovery"
	// KindJWKS is a JWK Set (RFC 7517 §5).
	KindJWKS DocumentKind = "jwks"
	// KindRevocations is a revocation document.
	KindRevocations DocumentKind = "revocations"
	// KindAPIKeys is a document of API keys.
	KindAPIKeys DocumentKind = "api_keys"
)

// A Response is a server's response to a [Fetch].
type Response struct {
	// Status is the HTTP status; only 200 supplies a document.
	Status int
	// CacheControl is the Cache-Control header (RFC 9111 §5.2); empty if absent.
	CacheControl string
	// Body has no content coding.
	Body []byte

	etag string
}

// The number of bytes that one call copies into the module. The copy takes a
// fraction of a millisecond.
const partBytes = 1 << 20

// Part returns the part of the body for one call: call 0 is [Instance.Supply],
// the calls from 1 on are [Instance.Resume]. It is empty after the last part.
func (r *Response) Part(call int) []byte {
	if r == nil || call < 0 || call > len(r.Body)/partBytes {
		return nil
	}
	return r.Body[call*partBytes : min((call+1)*partBytes, len(r.Body))]
}

// DocumentStatus is one document's state, for readiness probes and metrics.
type DocumentStatus struct {
	// Issuer is the issuer's name in the policy.
	Issuer string
	Kind   DocumentKind
	// URI is empty until the discovery document gives it.
	URI string
	// Loaded reports whether the document was ever accepted. Age is the time
	// since then.
	Loaded bool
	Age    time.Duration
	// Failures is the number of failed fetches since then.
	Failures uint32
	// Usable reports whether decisions may still use the document.
	Usable bool
	// Needed reports whether [Gate.Ready] waits for the document.
	Needed bool
}

// Supplied is the result of [Instance.Supply] or [Instance.Resume].
type Supplied struct {
	Outcome SupplyOutcome
	// Used is the number of keys, API keys or revocations of an accepted document
	// that are used.
	Used uint32
	// Problems lists the parts of an accepted document that are not used. For
	// a refused document it is the one reason.
	Problems []Problem
}

// SupplyOutcome is the outcome of [Instance.Supply].
type SupplyOutcome string

const (
	// Accepted: the document is in force.
	Accepted SupplyOutcome = "accepted"
	// Refused: the old document stays in force.
	Refused SupplyOutcome = "refused"
	// Unfinished: continue with [Instance.Resume]. Other calls are allowed in
	// between; the old document stays in force until the end.
	Unfinished SupplyOutcome = "unfinished"
	// Outdated: the address is no longer this document's address. Nothing has
	// changed, and it does not count as a failure.
	Outdated SupplyOutcome = "outdated"
)
