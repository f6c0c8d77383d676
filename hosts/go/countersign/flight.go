package countersign

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// flights are the requests in flight. Instances that ask for the same request
// share one exchange: a new token that comes many times at once is looked up
// once.
type flights struct {
	mu       sync.Mutex
	inFlight map[[sha256.Size]byte]*flight
}

type flight struct {
	done chan struct{}
	// Nil if there is no usable response. Valid when done is closed.
	response *Response
}

// send calls `send` and returns its response, or waits for the same request in
// flight.
func (f *flights) send(ctx context.Context, request Outgoing, send func() *Response) *Response {
	same := contentOf(request)
	f.mu.Lock()
	if flying, ok := f.inFlight[same]; ok {
		f.mu.Unlock()
		select {
		case <-flying.done:
			return flying.response
		case <-ctx.Done():
			return nil
		}
	}
	if f.inFlight == nil {
		f.inFlight = map[[sha256.Size]byte]*flight{}
	}
	own := &flight{done: make(chan struct{})}
	f.inFlight[same] = own
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.inFlight, same)
		f.mu.Unlock()
		close(own.done)
	}()
	own.response = send()
	return own.response
}

// contentOf returns a hash of all that decides what a request gets. Each text is
// written with its length, so that no two requests are the same text.
func contentOf(request Outgoing) (hash [sha256.Size]byte) {
	text := []byte(nil)
	write := func(part string) {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	write(request.Method)
	write(request.URI)
	write(string(request.Body))
	for _, header := range request.Headers {
		write(header.Name)
		write(header.Value)
	}
	text = binary.AppendUvarint(text, uint64(request.Timeout))
	text = binary.AppendUvarint(text, uint64(request.MaxBytes))
	return sha256.Sum256(text)
}
