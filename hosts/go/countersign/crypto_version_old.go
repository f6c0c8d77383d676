//go:build !go1.26

package countersign

import "runtime/debug"

// cryptoVersion returns the version of the Go Cryptographic Module with which
// the program was built, or nothing if it is that of Go itself.
func cryptoVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "GOFIPS140" {
				return setting.Value
			}
		}
	}
	return ""
}
