//go:build unix && (amd64 || arm64)

package countersign

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// A reservedMemory is a range of addresses, of which a part may be used. The
// garbage collector neither sees nor counts it.
type reservedMemory struct {
	all  []byte
	used uint64
}

// reserve is nil where the system has no range of addresses to give.
func reserve() experimental.LinearMemory {
	all, err := syscall.Mmap(-1, 0, reservedBytes, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return &reservedMemory{all: all}
}

// Reallocate is of [experimental.LinearMemory]; nil fails the instruction that
// wanted more.
func (m *reservedMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	if size > m.used {
		// Both are whole pages of 64 KiB.
		if err := syscall.Mprotect(m.all[m.used:size], syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
			return nil
		}
		m.used = size
	}
	return m.all[:size:size]
}

// Free is of [experimental.LinearMemory]. An instance is closed by whoever has
// it, so that nobody is in it.
func (m *reservedMemory) Free() {
	if m.all != nil {
		// Addresses that stay reserved harm nobody.
		_ = syscall.Munmap(m.all)
		m.all = nil
	}
}
