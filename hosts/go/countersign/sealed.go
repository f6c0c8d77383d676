package countersign

import (
	_ "embed"
	"strings"
)

//go:generate cargo xtask build

//go:embed countersign.wasm
var sealed []byte

//go:embed countersign.wasm.sha256
var sealedSum string

// SHA256 returns the SHA-256 of the sealed module, in lower-case hexadecimal. It
// is the same for every host of a release.
func SHA256() string {
	sum, _, _ := strings.Cut(sealedSum, " ")
	return sum
}
