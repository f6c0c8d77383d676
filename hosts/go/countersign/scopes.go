package countersign

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// The limit for the tokens tried for one request. One of them was verified.
const maxCandidates = 8

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
				if err := grant.require(r.Context(), require); err != nil {
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

// require checks the admitted token against a further requirement.
func (g *Grant) require(ctx context.Context, require Require) error {
	if g.Principal == nil {
		_, err := g.gate.Verify(ctx, "", require)
		return err
	}
	var err error = internalError()
	for _, token := range g.candidates() {
		decision, refused := g.gate.Verify(ctx, token, require)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case refused != nil:
			if denialOf(err).Code != "scope_insufficient" {
				err = refused
			}
		case g.isSameCaller(decision.Grant.Principal):
			return nil
		}
	}
	return err
}

// isSameCaller reports whether the principal is the admitted one. The request
// may also contain a valid token of another principal.
func (g *Grant) isSameCaller(principal *Principal) bool {
	return principal != nil && principal.Issuer == g.Principal.Issuer && principal.Claims == g.Principal.Claims
}

// candidates returns the texts that look like tokens in the headers that the
// gate reads. Only the module knows where the policy reads the credential. In
// every case it is the end of a list element of a header, or a cookie's value.
func (g *Grant) candidates() (tokens []string) {
	if g.request == nil {
		return []string{g.token}
	}
	current := g.gate.inForce.Load()
	if current == nil {
		return nil
	}
	for _, header := range requestOf(g.request, current.reads).Headers {
		separator, before := ",", " "
		if header.Name == "cookie" {
			separator, before = ";", "="
		}
		for element := range strings.SplitSeq(header.Value, separator) {
			element = strings.TrimSpace(element)
			token := strings.Trim(element[strings.LastIndex(element, before)+1:], `"`)
			if strings.Count(token, ".") == 2 && len(tokens) < maxCandidates && !slices.Contains(tokens, token) {
				tokens = append(tokens, token)
			}
		}
	}
	return tokens
}

// denialOf returns the denial of an error of [Gate.Verify].
func denialOf(err error) *Denial {
	var denial *Denial
	if errors.As(err, &denial) {
		return denial
	}
	return internalError()
}
