package countersign

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
)

// withMemory has the memory of an instance grow without being copied each
// time, which takes long where a large document has made it large.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(capacity, _ uint64) experimental.LinearMemory {
		return &linearMemory{make([]byte, 0, capacity)}
	}))
}

type linearMemory struct{ bytes []byte }

// Reallocate is of [experimental.LinearMemory]: what is new is zero, as a
// memory never shrinks.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.bytes)) {
		// Pages that nobody has touched cost an address.
		grown := make([]byte, len(m.bytes), size+size/2)
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free is of [experimental.LinearMemory].
func (m *linearMemory) Free() { m.bytes = nil }
