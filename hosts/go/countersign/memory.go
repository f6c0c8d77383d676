package countersign

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
)

// withMemory makes the memory of an instance grow without being copied. A copy
// takes long when a large document has made the memory large. A page that is
// never used costs only address space.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(capacity, maximum uint64) experimental.LinearMemory {
		if memory := reserve(maximum); memory != nil {
			return memory
		}
		return &copiedMemory{make([]byte, 0, capacity)}
	}))
}

// A copiedMemory is for systems that cannot reserve addresses.
type copiedMemory struct{ bytes []byte }

// Reallocate implements [experimental.LinearMemory]. The new bytes are zero,
// because a memory never shrinks.
func (m *copiedMemory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.bytes)) {
		grown := make([]byte, len(m.bytes), size+size/2)
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free implements [experimental.LinearMemory].
func (m *copiedMemory) Free() { m.bytes = nil }
