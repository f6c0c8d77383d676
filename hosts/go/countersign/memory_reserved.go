//go:build (linux || darwin) && (amd64 || arm64)

package countersign

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// A reservedMemory is a reserved range of addresses. Its first `used` bytes can
// be read and written. The garbage collector does not manage it.
type reservedMemory struct {
	all  []byte
	used uint64
}

// reserve reserves addresses for the maximum size of a memory, in bytes. It
// returns nil if the system cannot.
func reserve(maximum uint64) experimental.LinearMemory {
	// Where the address space is limited (`ulimit -v`), the process needs it.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil || limit.Cur < 1<<40 {
		return nil
	}
	all, err := syscall.Mmap(-1, 0, int(maximum), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return &reservedMemory{all: all}
}

// Reallocate implements [experimental.LinearMemory]. If it returns nil, the
// module's `memory.grow` fails.
func (m *reservedMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.all)) {
		return nil
	}
	if size > m.used {
		// Both bounds are multiples of 64 KiB, as Mprotect needs whole pages.
		if err := syscall.Mprotect(m.all[m.used:size], syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
			return nil
		}
		m.used = size
	}
	return m.all[:size:size]
}

// Free implements [experimental.LinearMemory]. Only the goroutine that uses an
// instance closes it, so no call is running in this memory.
func (m *reservedMemory) Free() {
	if m.all != nil {
		// If it fails, only addresses stay reserved.
		_ = syscall.Munmap(m.all)
		m.all = nil
	}
}
