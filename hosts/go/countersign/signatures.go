package countersign

import (
	"fmt"
	"log/slog"
)

// Signatures says who verifies signatures: see [WithSignatures].
type Signatures string

const (
	// Module: the sealed module verifies all signatures (default).
	Module Signatures = "module"
	// Native: the packages `crypto/…` of Go's standard library verify them. The
	// module decides everything else, so the decisions are the same.
	//
	// A program that is built with `GOFIPS140=v1.0.0`, and runs without
	// `GODEBUG=fips140=off`, verifies signatures with the Go Cryptographic
	// Module in its validated mode (FIPS 140-3). With `"signatures": "native"`
	// and `"fips": true` a policy demands this.
	Native Signatures = "native"
)

// WithSignatures sets who verifies signatures (default: [Module]). A policy that
// demands the other one is refused.
func WithSignatures(by Signatures) Option {
	return func(s *settings) { s.signatures = by }
}

// A Verifier is the code that verifies signatures.
type Verifier struct {
	Signatures Signatures
	// Name and Version are those of the cryptographic module. The version of
	// the sealed module is its SHA-256.
	Name, Version string
	// FIPS reports whether it is a frozen version of the Go Cryptographic
	// Module in its validated mode (FIPS 140-3). Only the list of NIST says
	// whether this version has its certificate.
	FIPS bool
}

// LogValue implements [slog.LogValuer].
func (v Verifier) LogValue() slog.Value {
	return slog.GroupValue(slog.String("signatures", string(v.Signatures)), slog.String("name", v.Name),
		slog.String("version", v.Version), slog.Bool("fips", v.FIPS))
}

// Verifier returns what verifies the signatures of this gate.
func (g *Gate) Verifier() Verifier { return g.verifier }

// A provider verifies signatures. One with `prepare` does so in this host, the
// other one is the sealed module.
type provider struct {
	Verifier
	// The algorithms that the host verifies.
	algorithms []string
	prepare    func(algorithm string, key keyMaterial) (signatureKey, error)
}

// A signatureKey verifies signatures for one algorithm. It reports a signature
// that does not fit as false, and a failure to find it out as an error.
type signatureKey interface {
	verify(signed, signature []byte) (bool, error)
}

func providerOf(by Signatures) (*provider, error) {
	switch by {
	case Module:
		return &provider{Verifier: Verifier{Module, "countersign.wasm", SHA256(), false}}, nil
	case Native:
		return goCrypto(), nil
	}
	return nil, fmt.Errorf("countersign: there is no way %q to verify signatures", by)
}
