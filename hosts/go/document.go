package countersign

import "time"

// A Fetch is a document that a gate wants: GET, no redirects, within the two
// bounds.
type Fetch struct {
	// Source names the document in [Instance.Supply].
	Source uint32
	// Issuer is the issuer's name in the policy.
	Issuer string
	Kind   DocumentKind
	// URI is `https`, or `http` only where the policy allows it.
	URI string
	// Timeout bounds the whole fetch.
	Timeout time.Duration
	// MaxBytes bounds the body.
	MaxBytes uint32
}

// DocumentKind is what a document is.
type DocumentKind string

const (
	// KindDiscovery is OpenID Provider metadata (OpenID Connect Discovery 1.0 §4).
	KindDiscovery DocumentKind = "discovery"
	// KindJWKS is a JWK Set (RFC 7517 §5).
	KindJWKS DocumentKind = "jwks"
	// KindRevocations is a revocation document.
	KindRevocations DocumentKind = "revocations"
)

// A Response is what a server answered to a [Fetch].
type Response struct {
	// Status is the HTTP status; only 200 supplies a document.
	Status int
	// CacheControl is empty where absent (RFC 9111 §5.2).
	CacheControl string
	// Body is decoded from any content coding.
	Body []byte
}

// What one call copies into the module: a fraction of a millisecond.
const partBytes = 1 << 20

// Part is what a call with this number hands over of the body: 0 is
// [Instance.Supply], those from 1 on are [Instance.Resume]. Empty after the
// last.
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
	// URI is empty while discovery has not named it.
	URI string
	// Loaded reports whether it was ever accepted, Age how long ago that was.
	Loaded bool
	Age    time.Duration
	// Failures are the failed attempts since then.
	Failures uint32
	// Usable reports whether it may still be used.
	Usable bool
}

// Supplied is what became of a document.
type Supplied struct {
	Outcome SupplyOutcome
	// Problems are the parts of an accepted document that are not used, or the
	// one reason of a refusal.
	Problems []Problem
}

// SupplyOutcome is how [Instance.Supply] ended.
type SupplyOutcome string

const (
	// Accepted is in force.
	Accepted SupplyOutcome = "accepted"
	// Refused leaves the old document in force.
	Refused SupplyOutcome = "refused"
	// Unfinished is to be gone on with ([Instance.Resume]). Other calls may
	// come in between; the old document is in force meanwhile.
	Unfinished SupplyOutcome = "unfinished"
	// Outdated came from an address that is no longer this document's:
	// nothing has changed, and nothing has failed.
	Outdated SupplyOutcome = "outdated"
)
