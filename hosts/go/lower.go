package countersign

import "math"

// A lowerer writes arguments into memory that the module gives it and then
// owns. After its first fault it writes nothing.
type lowerer struct {
	alloc      func(align, size uint32) (at uint32, err error)
	write      func(at uint32, text string) bool
	writeBytes func(at uint32, bytes []byte) bool
	put        func(at, value uint32) bool
	err        error
}

// text gives the two numbers that a string, or a list of bytes, becomes.
func (l *lowerer) text(text string) (at, size uint64) {
	start := l.room(1, uint64(len(text)))
	if l.err == nil && len(text) > 0 && !l.write(start, text) {
		l.err = errOutside
	}
	return uint64(start), uint64(len(text))
}

// bytes is text of what would have to be copied to be one: a large document.
func (l *lowerer) bytes(bytes []byte) (at, size uint64) {
	start := l.room(1, uint64(len(bytes)))
	if l.err == nil && len(bytes) > 0 && !l.writeBytes(start, bytes) {
		l.err = errOutside
	}
	return uint64(start), uint64(len(bytes))
}

func (l *lowerer) headers(headers []Header) (at, length uint64) {
	start := l.room(4, uint64(len(headers))*pairSize)
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

// room is where that many bytes may be written; nothing lies nowhere, and
// nowhere is aligned.
func (l *lowerer) room(align uint32, size uint64) uint32 {
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
