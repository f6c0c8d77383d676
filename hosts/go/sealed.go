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

// SHA256 is the lower-case hexadecimal SHA-256 of the sealed module that
// decides: the same in every artefact of a release, for every host.
func SHA256() string {
	sum, _, _ := strings.Cut(sealedSum, " ")
	return sum
}
