package countersign

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

const (
	// The limit for the tokens tried for one request. One of them was verified.
	maxCandidates = 16
	// Characters of the shortest API key or opaque token.
	minSecret = 16
)

// RequireScopes returns a middleware that requires all of these scopes in
// addition to the policy's requirements. It is for handlers behind
// [Gate.Middleware], or behind another transport that uses [NewContext]. The
// module decides as for a rule's `require`, with wildcards and the same denials.
func RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	require := requireScopes(scopes)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			grant, ok := FromContext(r.Context())
			switch {
			case !ok:
				deny(w, internalError())
			case grant.gate == nil:
				grant.requireOwnScopes(scopes, w, r, next)
			default:
				if err := grant.Require(r.Context(), require); err != nil {
					grant.gate.refuse(w, r, err)
					return
				}
				next.ServeHTTP(w, r)
			}
		})
	}
}

// requireOwnScopes is for a grant that no gate has made, as in a test: its own
// scopes count.
func (g *Grant) requireOwnScopes(scopes []string, w http.ResponseWriter, r *http.Request, next http.Handler) {
	isMissing := func(scope string) bool { return g.Principal == nil || !slices.Contains(g.Principal.Scopes, scope) }
	if slices.ContainsFunc(scopes, isMissing) {
		deny(w, &Denial{Code: "scope_insufficient", Status: http.StatusForbidden, Message: "a scope is missing"})
		return
	}
	next.ServeHTTP(w, r)
}

func requireScopes(scopes []string) Require {
	// Marshal cannot fail for strings.
	text, _ := json.Marshal(map[string]any{"scopes": map[string]any{"all": orEmpty(scopes)}})
	return Require(text)
}

// Require checks a further requirement on the token of the admitted request, in
// a handler behind the gate. The request's sender is proven already: a proof of
// possession is not used again. The errors are those of [Gate.Verify].
//
// Only a grant of a gate has a token: that of a test fails with
// `internal_error`.
func (g *Grant) Require(ctx context.Context, require Require) error {
	switch {
	case g.gate == nil:
		return internalError()
	case g.Principal == nil:
		_, err := g.gate.Verify(ctx, "", require)
		return err
	}
	first := outcome{Decision: Decision{Denial: internalError()}}
	for place, token := range g.candidates() {
		made, err := g.gate.verify(ctx, token, "", true)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && g.isSameCaller(made.Grant.Principal):
			made, err = g.gate.verify(ctx, token, require, true)
			g.gate.settings.tell(ctx, ModeEnforced, &made)
			return err
		case made.Denial != nil && place == 0:
			first = made
		}
	}
	g.gate.settings.tell(ctx, ModeEnforced, &first)
	return first.Denial
}

// isSameCaller reports whether the principal is the admitted one. The request
// may also contain a valid token of another principal.
func (g *Grant) isSameCaller(principal *Principal) bool {
	return principal != nil && principal.Issuer == g.Principal.Issuer && principal.Claims == g.Principal.Claims
}

// candidates returns the texts that look like tokens in the headers that the
// gate reads, the likeliest first. Only the module knows where the policy reads
// the credential. In every case it is the end of a list element of a header, or
// a cookie's value.
func (g *Grant) candidates() (tokens []string) {
	if g.request == nil {
		return []string{g.token}
	}
	current := g.gate.inForce.Load()
	if current == nil {
		return nil
	}
	var likely [4][]string
	for _, header := range requestOf(g.request, current.reads).Headers {
		separator, before := ",", " "
		if header.Name == "cookie" {
			separator, before = ";", "="
		}
		for element := range strings.SplitSeq(header.Value, separator) {
			element = strings.TrimSpace(element)
			token := strings.Trim(element[strings.LastIndex(element, before)+1:], `"`)
			if rank := rankOf(header.Name, token); rank < len(likely) && !slices.Contains(likely[rank], token) {
				likely[rank] = append(likely[rank], token)
			}
		}
	}
	tokens = slices.Concat(likely[:]...)
	return tokens[:min(len(tokens), maxCandidates)]
}

// rankOf says how likely a text in this header is a token: 0 is the likeliest. A
// proof, and what is too short for a secret, is none.
func rankOf(header, text string) int {
	switch {
	case header == "dpop" || len(text) < minSecret:
		return 4
	case header == "authorization":
		return 0
	case strings.Count(text, ".") == 2: // a JWT
		return 1
	case header == "cookie":
		return 3
	}
	return 2
}

// denialOf returns the denial of an error of [Gate.Verify].
func denialOf(err error) *Denial {
	var denial *Denial
	if errors.As(err, &denial) {
		return denial
	}
	return internalError()
}
