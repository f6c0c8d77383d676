package countersign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// certificate returns a self-signed certificate of a client.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAConnectionIsKnownFromTheServerNotFromHeaders(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection := connectionOf(r)
		fmt.Fprintf(w, "%s %x %v", connection.Scheme, connection.Certificate, connection.Peer)
	})
	own := certificate(t)
	sum := sha256.Sum256(own.Certificate[0])
	for _, test := range []struct {
		name  string
		serve func(*httptest.Server)
		want  string
	}{
		{"plain", (*httptest.Server).Start, "http  [127 0 0 1]"},
		{"TLS", (*httptest.Server).StartTLS, "https  [127 0 0 1]"},
		{"TLS with a certificate", func(server *httptest.Server) {
			server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
			server.StartTLS()
		}, fmt.Sprintf("https %x [127 0 0 1]", sum)},
		{"HTTP/2", func(server *httptest.Server) {
			server.EnableHTTP2 = true
			server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
			server.StartTLS()
		}, fmt.Sprintf("https %x [127 0 0 1]", sum)},
	} {
		server := httptest.NewUnstartedServer(handler)
		test.serve(server)
		client := server.Client()
		if transport := client.Transport.(*http.Transport); transport.TLSClientConfig != nil {
			transport.TLSClientConfig.Certificates = []tls.Certificate{own}
		}
		// The second time in a resumed session.
		for range 2 {
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			request.Header.Set("X-Forwarded-Proto", "https")
			request.Header.Set("X-Forwarded-For", "9.9.9.9")
			request.Header.Set("X-Forwarded-Client-Cert", "Hash=00")
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			want(t, test.name, string(body), test.want)
			client.CloseIdleConnections()
		}
		server.Close()
	}
}

func TestWhatIsNotOfTheServerIsUnknown(t *testing.T) {
	for address, peer := range map[string]string{
		"192.0.2.7:1234": "[192 0 2 7]", "[::ffff:192.0.2.7]:1": "[192 0 2 7]",
		"[fe80::1%eth0]:80": "[254 128 0 0 0 0 0 0 0 0 0 0 0 0 0 1]",
		// Middlewares write these from a header.
		"192.0.2.7": "[]", "::1": "[]", "192.0.2.7, 192.0.2.8": "[]", "@": "[]", "": "[]", "example.com:80": "[]",
	} {
		want(t, address, fmt.Sprint(peerOf(address)), peer)
	}
	want(t, "no server", fmt.Sprintf("%+v", connectionOf(&http.Request{})), "{Scheme: Certificate:[] Peer:[]}")
	// Before the handshake is complete, a request can be replayed.
	early := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("a")}}}
	want(t, "early data", fmt.Sprint(certificateOf(early)), "[]")
}
