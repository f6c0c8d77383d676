package countersign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"runtime"
	"strings"
)

// goCrypto verifies with Go's standard library.
func goCrypto() *provider {
	p := &provider{prepare: prepare, Verifier: Verifier{Signatures: Native, Name: "Go crypto", Version: runtime.Version()}}
	for _, one := range algorithms {
		p.algorithms = append(p.algorithms, one.name)
	}
	// A version that is not frozen (`latest`) is that of Go itself. It is never
	// validated, even in the mode.
	if version := cryptoVersion(); fips140.Enabled() && strings.HasPrefix(version, "v") {
		p.Name, p.Version, p.FIPS = "Go Cryptographic Module", version, true
	}
	return p
}

// The algorithms of this host (RFC 7518 §3.1, RFC 8037 §3.1).
var algorithms = []struct {
	name string
	hash crypto.Hash
}{
	{"RS256", crypto.SHA256}, {"RS384", crypto.SHA384}, {"RS512", crypto.SHA512},
	{"PS256", crypto.SHA256}, {"PS384", crypto.SHA384}, {"PS512", crypto.SHA512},
	{"ES256", crypto.SHA256}, {"ES384", crypto.SHA384}, {"ES512", crypto.SHA512},
	{"EdDSA", 0},
	{"HS256", crypto.SHA256}, {"HS384", crypto.SHA384}, {"HS512", crypto.SHA512},
}

var errKey = errors.New("the key is not of the algorithm's kind")

// prepare parses a key once, for one algorithm.
func prepare(algorithm string, key keyMaterial) (signatureKey, error) {
	for _, one := range algorithms {
		if one.name != algorithm {
			continue
		}
		if kind := algorithm[:2]; kind == "HS" != key.isSecret {
			return nil, errKey
		} else if kind == "HS" {
			return &hmacKey{tag: hmac.New(one.hash.New, key.bytes)}, nil
		}
		public, err := x509.ParsePKIXPublicKey(key.bytes)
		if err != nil {
			return nil, err
		}
		return publicKeyOf(algorithm[:2], one.hash, public)
	}
	return nil, fmt.Errorf("unknown algorithm %q", algorithm)
}

func publicKeyOf(kind string, hash crypto.Hash, public any) (signatureKey, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		switch kind {
		case "RS":
			return &pkcs1Key{public, hash}, nil
		case "PS":
			return &pssKey{public, rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}}, nil
		}
	case *ecdsa.PublicKey:
		if kind == "ES" {
			return &ecdsaKey{public, hash}, nil
		}
	case ed25519.PublicKey:
		if kind == "Ed" {
			return ed25519Key(public), nil
		}
	}
	return nil, errKey
}

type pkcs1Key struct {
	public *rsa.PublicKey
	hash   crypto.Hash
}

func (k *pkcs1Key) verify(signed, signature []byte) (bool, error) {
	var sum [sha512.Size]byte
	return rsaResult(rsa.VerifyPKCS1v15(k.public, k.hash, hashed(k.hash, signed, &sum), signature))
}

type pssKey struct {
	public  *rsa.PublicKey
	options rsa.PSSOptions
}

func (k *pssKey) verify(signed, signature []byte) (bool, error) {
	var sum [sha512.Size]byte
	hash := k.options.Hash
	return rsaResult(rsa.VerifyPSS(k.public, hash, hashed(hash, signed, &sum), signature, &k.options))
}

// Any other error is about the key or the mode.
func rsaResult(err error) (bool, error) {
	if errors.Is(err, rsa.ErrVerification) {
		return false, nil
	}
	return err == nil, err
}

type ecdsaKey struct {
	public *ecdsa.PublicKey
	hash   crypto.Hash
}

func (k *ecdsaKey) verify(signed, signature []byte) (bool, error) {
	var sum [sha512.Size]byte
	var der [derMax]byte
	return ecdsa.VerifyASN1(k.public, hashed(k.hash, signed, &sum), appendDER(der[:0], signature)), nil
}

// The longest DER signature of two numbers of 66 bytes (P-521).
const derMax = 3 + 2*(3+66)

// appendDER appends a signature `r || s` (RFC 7518 §3.4) as an ECDSA-Sig-Value
// in DER (RFC 3279 §2.2.3).
func appendDER(der, signature []byte) []byte {
	r, s := unsigned(signature[:len(signature)/2]), unsigned(signature[len(signature)/2:])
	length := derLength(r) + derLength(s)
	if der = append(der, 0x30); length >= 0x80 {
		der = append(der, 0x81)
	}
	return appendInteger(appendInteger(append(der, byte(length)), r), s)
}

func unsigned(number []byte) []byte {
	for len(number) > 1 && number[0] == 0 {
		number = number[1:]
	}
	return number
}

// derLength returns the length of an INTEGER. One whose first bit is set gets a
// zero byte, because an INTEGER has a sign.
func derLength(number []byte) int { return 2 + len(number) + int(number[0]>>7) }

func appendInteger(der, number []byte) []byte {
	der = append(der, 0x02, byte(derLength(number)-2))
	if number[0]>>7 == 1 {
		der = append(der, 0)
	}
	return append(der, number...)
}

type ed25519Key ed25519.PublicKey

func (k ed25519Key) verify(signed, signature []byte) (bool, error) {
	return ed25519.Verify(ed25519.PublicKey(k), signed, signature), nil
}

// An hmacKey computes every tag in the same place: one caller at a time has it.
type hmacKey struct {
	tag hash.Hash
	sum [sha512.Size]byte
}

func (k *hmacKey) verify(signed, signature []byte) (bool, error) {
	k.tag.Reset()
	k.tag.Write(signed)
	return hmac.Equal(k.tag.Sum(k.sum[:0]), signature), nil
}

// hashed writes the SHA-2 of a message into `sum`.
func hashed(hash crypto.Hash, message []byte, sum *[sha512.Size]byte) []byte {
	switch hash {
	case crypto.SHA256:
		short := sha256.Sum256(message)
		return append(sum[:0], short[:]...)
	case crypto.SHA384:
		short := sha512.Sum384(message)
		return append(sum[:0], short[:]...)
	default:
		*sum = sha512.Sum512(message)
		return sum[:]
	}
}
