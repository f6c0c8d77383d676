package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // SHA-256
	_ "crypto/sha512" // SHA-384 and SHA-512
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var encode = base64.RawURLEncoding.EncodeToString

// A jwk is a key of tests/keys.
type jwk map[string]string

func readJWK(t testing.TB, kid string) (key jwk) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../../../tests/keys", kid+".json"))
	if err == nil {
		err = json.Unmarshal(text, &key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (k jwk) bytes(name string) []byte {
	bytes, err := base64.RawURLEncoding.DecodeString(k[name])
	if err != nil {
		panic(err)
	}
	return bytes
}

func (k jwk) number(name string) *big.Int { return new(big.Int).SetBytes(k.bytes(name)) }

// JWK returns the public members of a key for one algorithm; of an HMAC's, the
// secret.
func JWK(t testing.TB, algorithm, kid string) Object {
	t.Helper()
	public := Object{"alg": algorithm}
	for name, value := range readJWK(t, kid) {
		switch name {
		case "d", "p", "q", "dp", "dq", "qi":
		default:
			public[name] = value
		}
	}
	return public
}

// JWKS returns a JWK Set with these public keys for RS256.
func JWKS(t testing.TB, kids ...string) string {
	t.Helper()
	keys := []Object{}
	for _, kid := range kids {
		keys = append(keys, JWK(t, "RS256", kid))
	}
	return text(Object{"keys": keys})
}

// Sign returns a token signed with this key by RS256. Its header has the `kid`.
func Sign(t testing.TB, kid string, claims Object) string {
	t.Helper()
	return SignBy(t, "RS256", kid, claims)
}

// SignBy is Sign by another algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
func SignBy(t testing.TB, algorithm, kid string, claims Object) string {
	t.Helper()
	signed := encode([]byte(text(Object{"alg": algorithm, "kid": kid}))) + "." + encode([]byte(text(claims)))
	signature, err := readJWK(t, kid).sign(algorithm, []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func (k jwk) sign(algorithm string, message []byte) ([]byte, error) {
	kind := algorithm[:2]
	if kind == "Ed" {
		return ed25519.NewKeyFromSeed(k.bytes("d")).Sign(nil, message, crypto.Hash(0))
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[2:]]
	if kind == "HS" {
		tag := hmac.New(hash.New, k.bytes("k"))
		tag.Write(message)
		return tag.Sum(nil), nil
	}
	sum := hash.New()
	sum.Write(message)
	digest := sum.Sum(nil)
	switch kind {
	case "ES":
		return k.signECDSA(digest)
	case "PS":
		return rsa.SignPSS(rand.Reader, k.rsa(), hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	return rsa.SignPKCS1v15(nil, k.rsa(), hash, digest)
}

func (k jwk) rsa() *rsa.PrivateKey {
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: k.number("n"), E: int(k.number("e").Int64())},
		D:         k.number("d"),
		Primes:    []*big.Int{k.number("p"), k.number("q")},
	}
	key.Precompute()
	return key
}

func (k jwk) signECDSA(digest []byte) ([]byte, error) {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k["crv"]]
	key, err := ecdsa.ParseRawPrivateKey(curve, k.bytes("d"))
	if err != nil {
		return nil, err
	}
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	// RFC 7518 §3.4
	signature := make([]byte, 2*len(k.bytes("x")))
	r.FillBytes(signature[:len(signature)/2])
	s.FillBytes(signature[len(signature)/2:])
	return signature, nil
}
