package countersign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

func defaultClient() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		// Somebody replaced it, and meant it.
		return documentClient(http.DefaultClient)
	}
	transport = transport.Clone()
	// One document in minutes: an idle connection is of no use.
	transport.DisableKeepAlives = true
	return documentClient(&http.Client{Transport: transport})
}

// documentClient is a client over the same transport that follows no redirect
// and sends no cookie; the bounds of a fetch are the gate's.
func documentClient(client *http.Client) *http.Client {
	return &http.Client{
		Transport:     client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch gets one document within its bounds: nil, and a word in the log, if
// there is none.
func (s *settings) fetch(ctx context.Context, fetch Fetch) *Response {
	ctx, cancel := context.WithTimeout(ctx, fetch.Timeout)
	defer cancel()
	response, err := get(ctx, s.client, fetch)
	if err != nil {
		s.logDocument(fetch, reason(err))
		return nil
	}
	if response.Status != http.StatusOK {
		s.logDocument(fetch, fmt.Sprintf("the server answered %d", response.Status))
	}
	return response
}

func get(ctx context.Context, client *http.Client, fetch Fetch) (*Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fetch.URI, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json, */*;q=0.1")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "countersign-go")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	// Repeated fields are one list (RFC 9110 §5.3).
	response := &Response{
		Status:       answer.StatusCode,
		CacheControl: strings.Join(answer.Header.Values("Cache-Control"), ", "),
	}
	if response.Status != http.StatusOK {
		return response, nil
	}
	if coding := answer.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, errors.New("the server compressed the document, unasked")
	}
	tooLong := fmt.Errorf("the document has more than %d bytes", fetch.MaxBytes)
	if answer.ContentLength > int64(fetch.MaxBytes) {
		return nil, tooLong
	}
	response.Body, err = io.ReadAll(io.LimitReader(answer.Body, int64(fetch.MaxBytes)+1))
	if err != nil {
		return nil, err
	}
	if len(response.Body) > int(fetch.MaxBytes) {
		return nil, tooLong
	}
	return response, nil
}

// reason leaves out the address, whose query may hold a key.
func reason(err error) string {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return err.Error()
}

// logDocument says that a document is not to be had, or not to be used.
func (s *settings) logDocument(fetch Fetch, reason string) {
	uri, _, _ := strings.Cut(fetch.URI, "?")
	s.logger.LogAttrs(context.Background(), slog.LevelWarn, "countersign: a document is not available",
		slog.String("issuer", fetch.Issuer), slog.String("kind", string(fetch.Kind)),
		slog.String("uri", uri), slog.String("reason", reason))
}
