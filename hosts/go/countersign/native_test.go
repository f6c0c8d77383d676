package countersign

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// keyOfAlgorithm has a test key for each algorithm.
var keyOfAlgorithm = map[string]string{
	"RS256": "rsa-2048-a", "RS384": "rsa-2048-b", "RS512": "rsa-3072",
	"PS256": "rsa-2048-a", "PS384": "rsa-2048-b", "PS512": "rsa-3072",
	"ES256": "ec-p256", "ES384": "ec-p384", "ES512": "ec-p521", "EdDSA": "ed25519",
	"HS256": "hmac-512", "HS384": "hmac-512", "HS512": "hmac-512",
}

// allAlgorithms is a policy with one issuer whose tokens have any algorithm.
func allAlgorithms(t testing.TB, more object) object {
	t.Helper()
	var public, secrets []object
	var publicNames, secretNames []string
	for _, one := range algorithms {
		jwk := issuertest.JWK(t, one.name, keyOfAlgorithm[one.name])
		if strings.HasPrefix(one.name, "HS") {
			delete(jwk, "kty")
			secrets, secretNames = append(secrets, jwk), append(secretNames, one.name)
		} else {
			public, publicNames = append(public, jwk), append(publicNames, one.name)
		}
	}
	policy := policyOf(object{
		"name": "platform", "issuer": "https://auth.example.com", "audiences": []string{"api"},
		"algorithms": append(publicNames, secretNames...), "claims": object{"tenant": "/tenant_id"},
		"keys": []object{
			{"jwks": object{"keys": public}, "algorithms": publicNames},
			{"secrets": secrets, "algorithms": secretNames},
		},
	})
	for name, value := range more {
		policy[name] = value
	}
	return policy
}

var claimsOfTests = object{
	"iss": "https://auth.example.com", "aud": "api", "sub": "ada",
	"iat": start.Unix(), "exp": start.Unix() + 100_000,
}

func signed(t testing.TB, algorithm string) string {
	t.Helper()
	return issuertest.SignBy(t, algorithm, keyOfAlgorithm[algorithm], claimsOfTests)
}

// spoiled returns a token with another signature of the same length.
func spoiled(token string) string {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		panic(err)
	}
	signature[2*len(signature)/3] ^= 1
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)
}

func TestGoVerifiesEveryAlgorithm(t *testing.T) {
	counted := &counter{}
	gate := newGate(t, newClock(), allAlgorithms(t, nil), WithInstances(1), counted.option())
	for _, one := range algorithms {
		token := signed(t, one.name)
		want(t, one.name+", spoiled", check(t, gate, "/", spoiled(token)), "signature_invalid")
		want(t, one.name, check(t, gate, "/", token), "allow")
		want(t, one.name+", remembered", check(t, gate, "/", token), "allow")
	}
	want(t, "prepared keys", counted.prepared.Load(), int64(len(algorithms)))
	want(t, "verified signatures", counted.verified.Load(), 2*int64(len(algorithms)))
}

func TestVerifyAndExplainAskGoToo(t *testing.T) {
	counted := &counter{}
	gate := newGate(t, newClock(), allAlgorithms(t, nil), WithInstances(1), counted.option())
	want(t, "Verify", codeOf(gate.Verify(t.Context(), signed(t, "ES256"), "")), "allow")
	for token, wanted := range map[string]Verdict{signed(t, "ES384"): VerdictPass, spoiled(signed(t, "ES384")): VerdictFail} {
		steps, err := gate.Explain(t.Context(), to("/", token))
		if err != nil {
			t.Fatal(err)
		}
		got := Verdict("absent")
		for _, step := range steps {
			if step.Check == "signature" {
				got = step.Verdict
			}
		}
		want(t, "its signature", got, wanted)
	}
	want(t, "verified signatures", counted.verified.Load(), 3)
}

func TestAGateSaysWhatVerifiesSignatures(t *testing.T) {
	byModule := newGate(t, newClock(), allAlgorithms(t, nil)).Verifier()
	want(t, "by the module", byModule, Verifier{Module, "countersign.wasm", SHA256(), false})
	var logged bytes.Buffer
	logger := WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))
	byGo := newGate(t, newClock(), allAlgorithms(t, object{"signatures": "native"}), WithSignatures(Native), logger).Verifier()
	want(t, "by Go", byGo.Signatures == Native && strings.HasPrefix(byGo.Name, "Go ") && byGo.Version != "", true)
	want(t, "in the log: "+logged.String(), strings.Contains(logged.String(), "verifier.signatures=native"), true)
}

func TestAPolicyThatDemandsAnotherVerifierIsRefused(t *testing.T) {
	for _, test := range []struct {
		demand, code string
		by           Signatures
	}{
		{"native", "signatures_unavailable", Module},
		{"module", "signatures_unavailable", Native},
		{"module", "", Module},
		{"native", "", Native},
	} {
		policy := text(allAlgorithms(t, object{"signatures": test.demand}))
		instance, err := OpenInstance(t.Context(), []byte(policy), WithSignatures(test.by))
		if err == nil {
			instance.Close()
		}
		var code string
		if refused := (*PolicyError)(nil); errors.As(err, &refused) {
			for _, problem := range refused.Problems {
				if problem.Severity == SeverityError {
					code = problem.Code
				}
			}
		}
		want(t, test.demand+" by "+string(test.by), code, test.code)
	}
	if _, err := New(t.Context(), []byte(text(allAlgorithms(t, nil))), WithSignatures("nativ")); err == nil {
		t.Error("an unknown verifier is no error")
	}
}

// A key that Go does not take in FIPS mode is the module's, and is not used at
// all where the policy demands Go.
func TestTheModuleVerifiesWhatNotEveryLibraryTakes(t *testing.T) {
	issuer := object{
		"name": "platform", "issuer": "https://auth.example.com", "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys": object{"jwks": object{"keys": []object{issuertest.JWK(t, "RS256", "rsa-2048-e3"), issuertest.JWK(t, "RS256", keyA)}}},
	}
	token := issuertest.SignBy(t, "RS256", "rsa-2048-e3", claimsOfTests)
	counted := &counter{}
	gate := newGate(t, newClock(), policyOf(issuer), counted.option())
	want(t, "the exponent 3", check(t, gate, "/", token), "allow")
	demanding := policyOf(issuer)
	demanding["signatures"] = "native"
	gate = newGate(t, newClock(), demanding, counted.option())
	want(t, "the exponent 3 for Go", check(t, gate, "/", token), "key_unknown")
	want(t, "asked", counted.prepared.Load(), 0)
}

func TestAFailureOfGosCryptographyIsNoSignature(t *testing.T) {
	broken := errors.New("the module left its mode")
	token := signed(t, "ES256")
	for name, key := range map[string]signatureKey{
		"an error": fakeKey(func() (bool, error) { return false, broken }),
		"both":     fakeKey(func() (bool, error) { return true, broken }),
		"a panic":  fakeKey(func() (bool, error) { panic("self-test failed") }),
	} {
		p := goCrypto()
		p.prepare = func(string, keyMaterial) (signatureKey, error) { return key, nil }
		gate := newGate(t, newClock(), allAlgorithms(t, nil), func(s *settings) { s.verifier = p })
		want(t, name, check(t, gate, "/", token), "internal_error")
		want(t, name+", again", check(t, gate, "/", token), "internal_error")
		want(t, "instances", len(gate.inForce.Load().pool.readers()), 2)
	}
	for name, prepare := range map[string]func(string, keyMaterial) (signatureKey, error){
		"an error of a key": func(string, keyMaterial) (signatureKey, error) { return nil, broken },
		"a panic of a key":  func(string, keyMaterial) (signatureKey, error) { panic("self-test failed") },
	} {
		fails := true
		p := goCrypto()
		p.prepare = func(algorithm string, key keyMaterial) (signatureKey, error) {
			if fails {
				return prepare(algorithm, key)
			}
			return goCrypto().prepare(algorithm, key)
		}
		gate := newGate(t, newClock(), allAlgorithms(t, nil), func(s *settings) { s.verifier = p })
		want(t, name, check(t, gate, "/", token), "internal_error")
		fails = false
		want(t, "afterwards", check(t, gate, "/", token), "allow")
	}
}

func TestAReloadDuringAVerificationStopsNothing(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	p := goCrypto()
	p.prepare = func(algorithm string, key keyMaterial) (signatureKey, error) {
		prepared, err := goCrypto().prepare(algorithm, key)
		return blockingKey{prepared, asked, goOn}, err
	}
	gate := newGate(t, newClock(), allAlgorithms(t, nil), WithInstances(1), func(s *settings) { s.verifier = p })
	var all sync.WaitGroup
	token := signed(t, "ES256")
	all.Go(func() { want(t, "by the old policy", check(t, gate, "/", token), "allow") })
	<-asked
	other := issuertest.New(t, keyB)
	if err := gate.Reload(t.Context(), []byte(text(policyOf(other.Entry("other"))))); err != nil {
		t.Fatal(err)
	}
	want(t, "by the new policy", check(t, gate, "/", token), "issuer_unknown")
	close(goOn)
	all.Wait()
	want(t, "still by the new policy", check(t, gate, "/", token), "issuer_unknown")
}

func TestManyRequestsAtATimeAreVerified(t *testing.T) {
	gate := newGate(t, newClock(), allAlgorithms(t, object{"remember": false}), WithSignatures(Native), WithInstances(3))
	var all sync.WaitGroup
	for _, one := range algorithms {
		token := signed(t, one.name)
		for range 4 {
			all.Go(func() {
				for range 5 {
					want(t, one.name, check(t, gate, "/", token), "allow")
					want(t, one.name+", spoiled", check(t, gate, "/", spoiled(token)), "signature_invalid")
				}
			})
		}
	}
	all.Wait()
}

func TestPreparedKeysAreBounded(t *testing.T) {
	n := &native{prepare: goCrypto().prepare, keys: map[uint32]signatureKey{}}
	for number := range uint32(2*keysKept + 10) {
		if n.prepared(number, "HS256", keyMaterial{true, make([]byte, 32)}) == nil || len(n.keys) > keysKept {
			t.Fatalf("%d keys", len(n.keys))
		}
	}
}

var (
	crafted = flag.Int("crafted", 2_000, "the number of crafted signatures")
	seeded  = flag.Uint64("seed", 1, "the seed of the crafted signatures")
)

// Both verify what is crafted from good signatures, with equal results. For a
// million: go test ./countersign -run Crafted -crafted 1000000
func TestCraftedSignaturesHaveEqualResultsInBoth(t *testing.T) {
	policy := []byte(text(allAlgorithms(t, object{"remember": false})))
	var instances [2]*Instance
	for i, by := range [...]Signatures{Module, Native} {
		instance, err := OpenInstance(context.Background(), policy, WithSignatures(by))
		if err != nil {
			t.Fatal(err)
		}
		defer instance.Close()
		instances[i] = instance
	}
	random := rand.New(rand.NewPCG(*seeded, 0))
	codes := map[string]int{}
	for left := *crafted; left > 0; {
		for _, one := range algorithms {
			good := signed(t, one.name)
			for range min(left, 64) {
				token := craft(random, good)
				var results [2]string
				for i, instance := range instances {
					answer, err := instance.CheckToken(token, 0, false, uint64(start.UnixMilli()))
					if err != nil {
						t.Fatal(err)
					}
					results[i] = "allow"
					if answer.Denial != nil {
						results[i] = answer.Denial.Code
					}
				}
				if results[0] != results[1] || results[0] == "internal_error" {
					t.Fatalf("%s: the module says %s, Go says %s", token, results[0], results[1])
				}
				codes[results[0]]++
				left--
			}
		}
	}
	t.Log(codes)
}

// craft changes the signature of a token, or nothing.
func craft(random *rand.Rand, token string) string {
	dot := strings.LastIndexByte(token, '.')
	signature, _ := base64.RawURLEncoding.DecodeString(token[dot+1:])
	half, at := len(signature)/2, random.IntN(len(signature))
	switch random.IntN(10) {
	case 0:
	case 1:
		signature[at] ^= 1 << random.IntN(8)
	case 2:
		clear(signature[:half])
	case 3:
		clear(signature[half:])
	case 4:
		clear(signature[:min(at, half)])
	case 5:
		for i := range signature[half:] {
			signature[half+i] = 0xff
		}
	case 6:
		copy(signature, signature[half:])
	case 7:
		signature = signature[:at]
	case 8:
		signature = append(make([]byte, 1+random.IntN(2)), signature...)
	default:
		for i := range signature {
			signature[i] = byte(random.Uint32())
		}
	}
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)
}

func TestAKeyThatIsWithdrawnDuringItsVerificationAdmitsNothing(t *testing.T) {
	issuer := object{
		"name": "platform", "issuer": "https://auth.example.com", "audiences": []string{"api"}, "algorithms": []string{"RS256"},
		"keys": object{"jwks_uri": "https://auth.example.com/jwks"}, "claims": object{"tenant": "/tenant_id"},
	}
	now := uint64(start.UnixMilli())
	engine, err := sealedEngine(engineConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		then    string
		isValid bool
	}{"withdrawn": {issuertest.JWKS(t, keyB), false}, "published again": {issuertest.JWKS(t, keyA, keyB), true}} {
		var instance *Instance
		supply := func(keys string) {
			supplied, err := instance.Supply(0, "https://auth.example.com/jwks", &Response{Status: 200, Body: []byte(keys)}, now)
			if err != nil || supplied.Outcome != Accepted {
				t.Fatal(supplied, err)
			}
		}
		p := goCrypto()
		p.prepare = func(string, keyMaterial) (signatureKey, error) {
			return fakeKey(func() (bool, error) { supply(test.then); return true, nil }), nil
		}
		if instance, err = openIn(engine, text(policyOf(issuer)), p, nil); err != nil {
			t.Fatal(err)
		}
		supply(issuertest.JWKS(t, keyA))
		answer, err := instance.CheckToken(issuertest.Sign(t, keyA, claimsOfTests), 0, false, now)
		if err != nil {
			t.Fatal(err)
		}
		want(t, name+": "+text(answer), answer.Allowed(), test.isValid)
		instance.Close()
	}
}
