package countersign

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Tokens that are tried for one request; it has one that was verified.
const maxCandidates = 8

// RequireScopes is for handlers behind [Gate.Middleware] that want more than
// the policy asks for: all of these scopes. The module decides it as it would
// a rule's `require`, wildcards included, with the same denials.
func RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	require := requireScopes(scopes)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			admission, ok := r.Context().Value(contextKey{}).(*admission)
			if !ok || admission.gate == nil {
				deny(w, internalError())
				return
			}
			if denial := admission.verify(r, require); denial != nil {
				deny(w, denial)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func requireScopes(scopes []string) Require {
	// Strings are always JSON.
	text, _ := json.Marshal(map[string]any{"scopes": map[string]any{"all": orEmpty(scopes)}})
	return Require(text)
}

// verify has the module judge the admitted token by a further requirement.
func (a *admission) verify(r *http.Request, require Require) *Denial {
	if a.grant.Principal == nil {
		_, err := a.gate.Verify(r.Context(), "", require)
		return denialOf(err)
	}
	denial := internalError()
	for _, token := range a.candidates() {
		decision, err := a.gate.Verify(r.Context(), token, require)
		switch {
		case err != nil:
			if refused := denialOf(err); denial.Code != "scope_insufficient" {
				denial = refused
			}
		case a.isAdmitted(decision.Grant.Principal):
			return nil
		}
	}
	return denial
}

// isAdmitted reports whether this is who the request was admitted as: what
// looks like a token may be of somebody else.
func (a *admission) isAdmitted(principal *Principal) bool {
	admitted := a.grant.Principal
	return principal != nil && principal.Issuer == admitted.Issuer && principal.Claims == admitted.Claims
}

// candidates are the tokens in what the gate reads. Where a credential stands
// is the policy's business, which the module knows: whatever it is, it ends
// its element of a header, or it is a cookie's value.
func (a *admission) candidates() (tokens []string) {
	current := a.gate.inForce.Load()
	if current == nil {
		return nil
	}
	for _, name := range current.reads {
		separator, before := ",", " "
		if name.lower == "cookie" {
			separator, before = ";", "="
		}
		for _, value := range a.request.Header[name.canonical] {
			for element := range strings.SplitSeq(value, separator) {
				element = strings.TrimSpace(element)
				token := strings.Trim(element[strings.LastIndex(element, before)+1:], `"`)
				if strings.Count(token, ".") == 2 && len(tokens) < maxCandidates && !slices.Contains(tokens, token) {
					tokens = append(tokens, token)
				}
			}
		}
	}
	return tokens
}

// denialOf is the denial that an error of [Gate.Verify] is.
func denialOf(err error) *Denial {
	var denial *Denial
	if errors.As(err, &denial) {
		return denial
	}
	return internalError()
}
