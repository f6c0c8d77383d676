package countersign

import (
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"sync/atomic"
	"testing"
)

// A counter is Go's cryptography that counts what it does.
type counter struct{ prepared, verified atomic.Int64 }

func (c *counter) option() Option {
	p := goCrypto()
	prepare := p.prepare
	p.prepare = func(algorithm string, key keyMaterial) (signatureKey, error) {
		c.prepared.Add(1)
		prepared, err := prepare(algorithm, key)
		return countedKey{prepared, c}, err
	}
	return func(s *settings) { s.verifier = p }
}

type countedKey struct {
	key signatureKey
	c   *counter
}

func (k countedKey) verify(signed, signature []byte) (bool, error) {
	k.c.verified.Add(1)
	return k.key.verify(signed, signature)
}

type fakeKey func() (bool, error)

func (k fakeKey) verify([]byte, []byte) (bool, error) { return k() }

type blockingKey struct {
	key         signatureKey
	asked, goOn chan struct{}
}

func (k blockingKey) verify(signed, signature []byte) (bool, error) {
	close(k.asked)
	<-k.goOn
	return k.key.verify(signed, signature)
}

func TestASignatureIsWrittenInDER(t *testing.T) {
	for _, size := range []int{32, 48, 66} {
		for zeros := range size {
			signature := make([]byte, 2*size)
			_, _ = rand.Read(signature)
			clear(signature[:zeros])
			clear(signature[size : size+(zeros*7)%size])
			signature[size-1] |= 1
			signature[2*size-1] |= 1
			der, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])})
			if err != nil {
				t.Fatal(err)
			}
			want(t, "DER", string(appendDER(nil, signature)), string(der))
			want(t, "it fits", len(der) <= derMax, true)
		}
	}
}

func TestAKeyOfAnotherKindIsNotPrepared(t *testing.T) {
	secret := keyMaterial{true, make([]byte, 32)}
	for _, test := range []struct {
		algorithm string
		key       keyMaterial
	}{{"RS256", secret}, {"HS256", keyMaterial{false, secret.bytes}}, {"ES256", keyMaterial{false, nil}}, {"none", secret}, {"", secret}} {
		key, err := prepare(test.algorithm, test.key)
		want(t, test.algorithm, key == nil && err != nil, true)
	}
}
