//go:build go1.26

package countersign

import "crypto/fips140"

// cryptoVersion returns the version of the Go Cryptographic Module.
func cryptoVersion() string { return fips140.Version() }
