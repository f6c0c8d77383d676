package countersign

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
)

// reservedBytes is as much as the memory of an instance may grow without being
// copied: the largest documents of several issuers. Untouched pages cost an
// address.
const reservedBytes = 1 << 30

// withMemory has the memory of an instance grow without being copied, which
// takes long where a large document has made it large.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(capacity, _ uint64) experimental.LinearMemory {
		if memory := reserve(); memory != nil {
			return memory
		}
		return &copiedMemory{make([]byte, 0, capacity)}
	}))
}

// A copiedMemory is for systems that reserve no addresses.
type copiedMemory struct{ bytes []byte }

// Reallocate is of [experimental.LinearMemory]: what is new is zero, as a
// memory never shrinks.
func (m *copiedMemory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.bytes)) {
		grown := make([]byte, len(m.bytes), size+size/2)
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free is of [experimental.LinearMemory].
func (m *copiedMemory) Free() { m.bytes = nil }
