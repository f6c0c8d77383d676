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
		// The program has replaced http.DefaultTransport: use its transport.
		return documentClient(http.DefaultClient)
	}
	transport = transport.Clone()
	// Fetches are minutes apart, so an idle connection has no use.
	transport.DisableKeepAlives = true
	return documentClient(&http.Client{Transport: transport})
}

// documentClient returns a client with the same transport that follows no
// redirects and sends no cookies. The gate sets the timeout of each fetch.
func documentClient(client *http.Client) *http.Client {
	return &http.Client{
		Transport:     client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch fetches one document within its bounds. If that fails, it logs the
// reason and returns nil.
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
		return nil, errors.New("the server compressed the document, although the request did not allow it")
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

// reason returns an error's text without the URL, whose query may contain a
// key.
func reason(err error) string {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return err.Error()
}

// logDocument logs why a document, or a part of it, is not available.
func (s *settings) logDocument(fetch Fetch, reason string) {
	uri, _, _ := strings.Cut(fetch.URI, "?")
	s.logger.LogAttrs(context.Background(), slog.LevelWarn, "countersign: a document is not available",
		slog.String("issuer", fetch.Issuer), slog.String("kind", string(fetch.Kind)),
		slog.String("uri", uri), slog.String("reason", reason))
}
