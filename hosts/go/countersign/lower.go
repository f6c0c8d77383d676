package countersign

import "math"

// A lowerer writes arguments into memory that the module allocates and later
// frees. After its first error it writes nothing more.
type lowerer struct {
	alloc      func(align, size uint32) (at uint32, err error)
	write      func(at uint32, text string) bool
	writeBytes func(at uint32, bytes []byte) bool
	put        func(at, value uint32) bool
	err        error
}

// text writes a string. It returns its offset and its size.
func (l *lowerer) text(text string) (at, size uint64) {
	start := l.allocate(1, uint64(len(text)))
	if l.err == nil && len(text) > 0 && !l.write(start, text) {
		l.err = errOutside
	}
	return uint64(start), uint64(len(text))
}

// bytes is text for bytes, so that a large document is not copied into a
// string first.
func (l *lowerer) bytes(bytes []byte) (at, size uint64) {
	start := l.allocate(1, uint64(len(bytes)))
	if l.err == nil && len(bytes) > 0 && !l.writeBytes(start, bytes) {
		l.err = errOutside
	}
	return uint64(start), uint64(len(bytes))
}

func (l *lowerer) headers(headers []Header) (at, length uint64) {
	start := l.allocate(4, uint64(len(headers))*pairSize)
	for i, header := range headers {
		name, nameSize := l.text(header.Name)
		value, valueSize := l.text(header.Value)
		for j, part := range [...]uint64{name, nameSize, value, valueSize} {
			if l.err == nil && !l.put(start+uint32(i)*pairSize+uint32(j)*4, uint32(part)) {
				l.err = errOutside
			}
		}
	}
	return uint64(start), uint64(len(headers))
}

// allocate returns the offset of newly allocated bytes. For size 0 it allocates
// nothing and returns an aligned offset that is never used.
func (l *lowerer) allocate(align uint32, size uint64) uint32 {
	if l.err != nil || size == 0 {
		return align
	}
	if size > math.MaxInt32 {
		l.err = errTooLarge
		return align
	}
	at, err := l.alloc(align, uint32(size))
	l.err = err
	return at
}
