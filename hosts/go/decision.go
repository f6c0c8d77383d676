package countersign

import (
	"encoding/json"
	"net/http"
	"time"
)

// A Decision is the answer to one request: a grant or a denial. Without
// either it admits nobody.
type Decision struct {
	// Grant is nil unless the request may pass.
	Grant *Grant
	// Denial is nil if it may.
	Denial *Denial
	// Changes are what else changes on this one request, after what the grant
	// says: see [Decision.Apply].
	Changes []Change
}

// A Change of one request: all fields of the name become this one, or go.
type Change struct {
	Header
	IsRemoval bool
}

// Allowed reports whether the request may pass.
func (d Decision) Allowed() bool { return d.Grant != nil }

// A Grant admits a request, and says what its handler may be told. Requests
// with the same token share what it points to: do not change it.
type Grant struct {
	// Principal is who is calling; nil where the rule is public, or optional
	// and no token came.
	Principal *Principal
	// RemoveHeaders are to be removed first: every field whose name is one of
	// these in lower case and with `_` read as `-`.
	RemoveHeaders []string
	// SetHeaders are to be set then: lower-case names, visible ASCII values.
	SetHeaders []Header

	admission
}

// An admission is by what a gate granted, for who asks for more: a request as
// it came, credentials and all, or a token.
type admission struct {
	gate    *Gate
	request *http.Request
	token   string
}

// A Principal is what a verified token says, in the policy's terms.
type Principal struct {
	// Issuer is the issuer's name in the policy, Iss the token's claim.
	Issuer, Iss string
	// Subject and Tenant are mapped by the policy; empty where absent.
	Subject, Tenant string
	// TokenType is the type that matched, where the issuer has types.
	TokenType string
	// Roles and Scopes are mapped by the policy.
	Roles, Scopes []string
	// ExpiresAt is `exp`, without leeway; zero where absent.
	ExpiresAt time.Time
	// Claims is a JSON object: the claims as the issuer signed them.
	Claims string

	has struct{ subject, tenant, tokenType bool }
}

// MarshalJSON writes the names of wit/countersign.wit with `_` for `-`, and
// null where the token says nothing, which an empty string would be.
func (p *Principal) MarshalJSON() ([]byte, error) {
	var expiresAt *int64
	if !p.ExpiresAt.IsZero() {
		ms := p.ExpiresAt.UnixMilli()
		expiresAt = &ms
	}
	return json.Marshal(struct {
		Issuer      string   `json:"issuer"`
		Iss         string   `json:"iss"`
		Subject     *string  `json:"subject"`
		TokenType   *string  `json:"token_type"`
		Tenant      *string  `json:"tenant"`
		Roles       []string `json:"roles"`
		Scopes      []string `json:"scopes"`
		ExpiresAtMS *int64   `json:"expires_at_ms"`
		Claims      string   `json:"claims"`
	}{
		p.Issuer, p.Iss,
		optional(p.Subject, p.has.subject), optional(p.TokenType, p.has.tokenType), optional(p.Tenant, p.has.tenant),
		orEmpty(p.Roles), orEmpty(p.Scopes), expiresAt, p.Claims,
	})
}

func optional(text string, ok bool) *string {
	if !ok {
		return nil
	}
	return &text
}

func orEmpty(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// A Denial says why a request may not pass; it is an error, for [errors.As].
// It never holds a token, a key or a claim's value.
type Denial struct {
	// Code is stable, such as `token_expired`: the contract lists them.
	Code string
	// Status is the HTTP status of the answer.
	Status int
	// Message is one sentence.
	Message string
	// Challenge is the WWW-Authenticate of the answer (RFC 6750 §3); empty
	// where the code has none.
	Challenge string
	// Claim is the claim concerned, where that helps.
	Claim string
	// RetryAfter comes with status 503, in whole seconds.
	RetryAfter time.Duration
}

func (d *Denial) Error() string { return "countersign: " + d.Message + " (" + d.Code + ")" }

// As long as one fetch may take.
const stillWaiting = 5 * time.Second

// internalError says that the gate or this host failed, which is never a
// reason to admit.
func internalError() *Denial { return unavailable("internal_error", "the gate failed", time.Second) }

// waitedTooLong is for a request whose documents did not come in time.
func waitedTooLong(fetches []Fetch) *Denial {
	for _, fetch := range fetches {
		if fetch.Kind != KindRevocations {
			return unavailable("keys_unavailable", "the keys of the issuer are unavailable", stillWaiting)
		}
	}
	return unavailable("revocations_unavailable", "the revocations of the issuer are unavailable", stillWaiting)
}

func unavailable(code, message string, retryAfter time.Duration) *Denial {
	return &Denial{Code: code, Status: 503, Message: message, RetryAfter: retryAfter}
}
