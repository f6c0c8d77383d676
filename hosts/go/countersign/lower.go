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

// truth returns a truth as an argument.
func truth(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

func (l *lowerer) headers(headers []Header) (at, length uint64) {
	start := l.allocate(4, uint64(len(headers))*pairSize)
	for i, header := range headers {
		name, nameSize := l.text(header.Name)
		value, valueSize := l.text(header.Value)
		l.putAll(start+uint32(i)*pairSize, name, nameSize, value, valueSize)
	}
	return uint64(start), uint64(len(headers))
}

func (l *lowerer) texts(texts []string) (at, length uint64) {
	start := l.allocate(4, uint64(len(texts))*textSize)
	for i, text := range texts {
		place, size := l.text(text)
		l.putAll(start+uint32(i)*textSize, place, size)
	}
	return uint64(start), uint64(len(texts))
}

// outcome writes a response, of which the module gets this part of the body, or
// nil. It returns the case number, then the response's fields.
func (l *lowerer) outcome(response *Response, part []byte) []uint64 {
	outcome := [7]uint64{1}
	if response != nil {
		outcome[0] = 0
		// A status outside 0 to 999 is not 200, so it supplies nothing.
		outcome[1] = uint64(uint16(min(max(response.Status, 0), 999)))
		outcome[2], outcome[3] = l.text(response.CacheControl)
		outcome[4] = uint64(min(len(response.Body), math.MaxUint32))
		outcome[5], outcome[6] = l.bytes(part)
	}
	return outcome[:]
}

func (l *lowerer) putAll(at uint32, values ...uint64) {
	for i, value := range values {
		if l.err == nil && !l.put(at+uint32(i)*4, uint32(value)) {
			l.err = errOutside
		}
	}
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
