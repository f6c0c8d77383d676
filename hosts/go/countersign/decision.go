package countersign

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// A Decision is the answer to one request: a grant, a denial, or a response of
// the gate itself. The zero value admits nothing.
type Decision struct {
	// Grant is nil unless the request is allowed.
	Grant *Grant
	// Denial is nil unless the request is denied.
	Denial *Denial
	// Answered is nil unless the gate answers the request itself.
	Answered *Answered
	// Changes are further changes for this request only. Apply them after the
	// changes of the grant: see [Decision.Apply] and [Decision.Target].
	Changes []Change
}

// A Change sets one header in place of every field of exactly this name (in any
// case), removes them, or sets the target.
type Change struct {
	Header
	IsRemoval bool
	// Target, if not empty, is the request's new target in origin form, with
	// its query. Then Header is empty.
	Target string
}

// An Answered is a response of the gate itself, such as the metadata of a
// protected resource (RFC 9728). Send it as it is; no handler sees the request.
// It is an error, because the request does not pass: find it with [errors.As].
type Answered struct {
	// Status is the HTTP status.
	Status int
	// Header has all fields but those that frame the message.
	Header []Header
	// Body is the whole body; net/http leaves it out for HEAD.
	Body []byte
}

func (a *Answered) Error() string { return "countersign: the gate answers this request itself" }

// ServeHTTP sends the response.
func (a *Answered) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for _, field := range a.Header {
		w.Header().Set(field.Name, field.Value)
	}
	w.WriteHeader(a.Status)
	// An error means that the client has disconnected.
	_, _ = w.Write(a.Body)
}

// Allowed reports whether the request is allowed.
func (d Decision) Allowed() bool { return d.Grant != nil }

// A Grant admits a request and holds what its handler may know. Requests with
// the same token share the values it points to: do not modify them.
type Grant struct {
	// Principal is the caller. It is nil if the rule is public, or if the rule
	// is optional and the request has no token.
	Principal *Principal
	// Principals are the principals that the rule asks for beside the user,
	// such as a workload, by their names in the policy.
	Principals map[string]*Principal
	// RemoveHeaders are the headers to remove first: every field whose name,
	// in lower case and with `_` replaced by `-`, is one of these.
	RemoveHeaders []string
	// SetHeaders are the headers to set afterwards: lower-case names, visible
	// ASCII values.
	SetHeaders []Header

	admission
}

// issuers returns the names of the issuers of all principals.
func (g *Grant) issuers() (issuers []string) {
	if g.Principal != nil {
		issuers = append(issuers, g.Principal.Issuer)
	}
	for _, principal := range g.Principals {
		issuers = append(issuers, principal.Issuer)
	}
	return issuers
}

// An admission is the gate and the request or token of a grant. [RequireScopes]
// checks further requirements with it. The request still has its credentials.
type admission struct {
	gate    *Gate
	request *http.Request
	token   string
}

// A Principal is the caller that a verified token identifies. The policy maps
// the token's claims to these fields.
type Principal struct {
	// Issuer is the issuer's name in the policy, Iss the token's `iss` claim.
	Issuer, Iss string
	// Subject and Tenant are mapped by the policy; empty if absent. Tenant is
	// the tenant of the request: the only one of the token, or the one that the
	// rule names.
	Subject, Tenant string
	// Tenants are all tenants of the token.
	Tenants []string
	// TokenType is the token type that matched; empty if the issuer has none.
	TokenType string
	// Roles and Scopes are mapped by the policy.
	Roles, Scopes []string
	// ExpiresAt is `exp`, without leeway; zero if absent.
	ExpiresAt time.Time
	// Claims is a JSON object: the claims as the issuer signed them.
	Claims string

	has struct{ subject, tenant, tokenType bool }
}

// MarshalJSON writes the names of wit/countersign.wit, with `_` for `-`. An
// absent claim is null, which is not the same as an empty string.
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
		Tenants     []string `json:"tenants"`
		Roles       []string `json:"roles"`
		Scopes      []string `json:"scopes"`
		ExpiresAtMS *int64   `json:"expires_at_ms"`
		Claims      string   `json:"claims"`
	}{
		p.Issuer, p.Iss,
		optional(p.Subject, p.has.subject), optional(p.TokenType, p.has.tokenType), optional(p.Tenant, p.has.tenant),
		orEmpty(p.Tenants), orEmpty(p.Roles), orEmpty(p.Scopes), expiresAt, p.Claims,
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

// A Denial is the reason why a request is denied. It is an error: find it with
// [errors.As]. It never contains a token, a key or a claim's value.
type Denial struct {
	// Code is a stable code, such as `token_expired`. The contract lists all
	// codes.
	Code string
	// Status is the HTTP status of the response.
	Status int
	// Message is one sentence.
	Message string
	// Challenge is the response's WWW-Authenticate header (RFC 6750 §3); empty
	// if the code has none.
	Challenge string
	// Claim is the name of the claim that caused the denial, if one did.
	Claim string
	// Principal is the name in the policy of the principal whose token caused
	// the denial; empty for the user.
	Principal string
	// RetryAfter is set with status 503, in whole seconds.
	RetryAfter time.Duration
	// Nonce is the response's DPoP-Nonce header (RFC 9449 §8); empty if it has
	// none. With it, the response also has `Cache-Control: no-store`.
	Nonce string
}

func (d *Denial) Error() string { return "countersign: " + d.Message + " (" + d.Code + ")" }

// The longest time that one fetch may take.
const stillWaiting = 5 * time.Second

// internalError denies because the gate or this host failed: a failure never
// admits a request.
func internalError() *Denial { return unavailable("internal_error", "the gate failed", time.Second) }

// waitedTooLong denies a request for which something did not arrive in time.
func waitedTooLong(answer Answer) *Denial {
	late := func(code, message string) *Denial { return unavailable(code, message, stillWaiting) }
	isLate := func(kinds ...DocumentKind) bool {
		return slices.ContainsFunc(answer.Wait, func(fetch Fetch) bool { return slices.Contains(kinds, fetch.Kind) })
	}
	switch {
	case isLate(KindDiscovery, KindJWKS):
		return late("keys_unavailable", "the keys of the issuer are unavailable")
	case isLate(KindRevocations):
		return late("revocations_unavailable", "the revocations of the issuer are unavailable")
	case isLate(KindAPIKeys):
		return late("api_keys_unavailable", "the API keys of the issuer are unavailable")
	case answer.Requests != nil:
		return late("introspection_unavailable", "the token cannot be looked up")
	case answer.Proofs != nil:
		return late("proofs_unavailable", "the use of the proof cannot be recorded")
	}
	return internalError()
}

func unavailable(code, message string, retryAfter time.Duration) *Denial {
	return &Denial{Code: code, Status: 503, Message: message, RetryAfter: retryAfter}
}
