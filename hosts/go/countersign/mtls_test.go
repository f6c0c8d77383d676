package countersign

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestATokenIsBoundToTheCertificateOfItsClient(t *testing.T) {
	issuer := issuertest.New(t, keyA)
	gate := newGate(t, newClock(), policyOf(issuer.Entry("platform")))
	handler := gate.Middleware(RequireScopes("write")(ok))
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()
	own, other := certificate(t), certificate(t)
	sum := sha256.Sum256(own.Certificate[0])
	thumbprint := base64.RawURLEncoding.EncodeToString(sum[:])
	token := issuer.Token(keyA, object{"cnf": object{"x5t#S256": thumbprint}})
	for _, test := range []struct {
		name, token string
		shown       []tls.Certificate
		code        string
	}{
		{"its own", token, []tls.Certificate{own}, "allow"},
		{"another one", token, []tls.Certificate{other}, "proof_invalid"},
		{"none", token, nil, "proof_missing"},
		{"a plain token", issuer.Token(keyA), nil, "allow"},
	} {
		transport := server.Client().Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.Certificates = test.shown
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/write", nil)
		r.Header.Set("Authorization", "Bearer "+test.token)
		// Nobody has said that this header counts.
		r.Header.Set("X-Forwarded-Client-Cert", "Hash="+thumbprint)
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		want(t, test.name, codeIn(t, response), test.code)
		_ = response.Body.Close()
		transport.CloseIdleConnections()
	}
}

// The certificate in a header counts from a trusted proxy, whose address is that
// of the connection.
func TestACertificateInAHeaderCountsFromATrustedPeer(t *testing.T) {
	issuer, own := issuertest.New(t, keyA), certificate(t)
	sum := sha256.Sum256(own.Certificate[0])
	thumbprint := base64.RawURLEncoding.EncodeToString(sum[:])
	token := issuer.Token(keyA, object{"cnf": object{"x5t#S256": thumbprint}})
	for network, code := range map[string]string{"127.0.0.0/8": "allow", "10.0.0.0/8": "proof_missing"} {
		policy := policyOf(issuer.Entry("platform"))
		policy["client_certificate"] = object{"header": "x-client-cert", "format": "sha256", "trusted_proxies": []string{network}}
		server := httptest.NewServer(newGate(t, newClock(), policy).Middleware(ok))
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/write", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Client-Cert", thumbprint)
		r.Header.Set("X-Forwarded-For", "10.0.0.1")
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		want(t, network, codeIn(t, response), code)
		_ = response.Body.Close()
		server.Close()
	}
}
