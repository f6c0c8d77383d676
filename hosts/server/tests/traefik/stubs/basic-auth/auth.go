// Package auth stands in for the module that Traefik's basic and digest authentication
// need. No test uses these: their middlewares are in the package of ForwardAuth.
package auth

import "net/http"

// SecretProvider says the secret of a user.
type SecretProvider func(user, realm string) string

// BasicAuth refuses everybody.
type BasicAuth struct {
	Realm   string
	Secrets SecretProvider
}

// RequireAuth refuses.
func (*BasicAuth) RequireAuth(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusUnauthorized)
}

// CheckSecret accepts nothing.
func CheckSecret(_, _ string) bool { return false }

// DigestAuth refuses everybody.
type DigestAuth struct{}

// NewDigestAuthenticator makes one.
func NewDigestAuthenticator(string, SecretProvider) *DigestAuth { return &DigestAuth{} }

// CheckAuth accepts nobody.
func (*DigestAuth) CheckAuth(*http.Request) (string, *string) { return "", nil }

// RequireAuth refuses.
func (*DigestAuth) RequireAuth(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusUnauthorized)
}

// RequireAuthStale refuses.
func (*DigestAuth) RequireAuthStale(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusUnauthorized)
}

// DigestAuthParams reads nothing.
func DigestAuthParams(string) map[string]string { return nil }
