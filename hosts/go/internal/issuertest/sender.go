package issuertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"
)

// A Sender has a key of its own, with which it makes proofs of possession (DPoP,
// RFC 9449).
type Sender struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	x, y string
}

// NewSender makes a sender with a new key on P-256.
func NewSender(t testing.TB) *Sender {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return &Sender{t, key, encode(point[1:33]), encode(point[33:])}
}

// Binding is the claim `cnf` of a token that is bound to this sender (RFC 9449
// §6.1). The thumbprint is that of RFC 7638.
func (s *Sender) Binding() Object {
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + s.x + `","y":"` + s.y + `"}`))
	return Object{"jkt": encode(sum[:])}
}

// FreshProof is Proof, issued now by the system's clock.
func (s *Sender) FreshProof(method, uri, token string, more Object) string {
	s.t.Helper()
	return s.Proof(method, uri, token, Object{"iat": time.Now().Unix()}, more)
}

// Proof returns a proof for a request with a token, with these additional
// claims. It is issued at Start.
func (s *Sender) Proof(method, uri, token string, more ...Object) string {
	s.t.Helper()
	hash := sha256.Sum256([]byte(token))
	claims := Object{"htm": method, "htu": uri, "iat": Start.Unix(), "jti": rand.Text(), "ath": encode(hash[:])}
	for _, more := range more {
		for name, value := range more {
			claims[name] = value
		}
	}
	jwk := Object{"kty": "EC", "crv": "P-256", "x": s.x, "y": s.y}
	signed := encode([]byte(text(Object{"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}))) + "." + encode([]byte(text(claims)))
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		s.t.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + encode(signature[:])
}
