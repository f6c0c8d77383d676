package countersign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// How long a connection without a request stays open, and how many do. Servers
	// usually close theirs after a minute or more.
	idleTimeout     = 20 * time.Second
	idleConnections = 16
)

func defaultClient() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		// The program has replaced http.DefaultTransport: use its transport.
		return documentClient(http.DefaultClient)
	}
	transport = transport.Clone()
	// Fetches of documents are minutes apart, but look-ups of tokens are not.
	transport.IdleConnTimeout = idleTimeout
	transport.MaxIdleConnsPerHost = idleConnections
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
// reason. The failure is nil if the response has the status 200.
func (s *settings) fetch(ctx context.Context, fetch Fetch) (*Response, *failure) {
	ctx, cancel := context.WithTimeout(ctx, fetch.Timeout)
	defer cancel()
	response, err := get(ctx, s.client, fetch)
	if err != nil {
		s.logDocument(fetch, reason(err))
		return nil, failureOf(err)
	}
	if response.Status != http.StatusOK {
		s.logDocument(fetch, fmt.Sprintf("the server answered %d", response.Status))
		return response, failureBy(response.Status)
	}
	return response, nil
}

func get(ctx context.Context, client *http.Client, fetch Fetch) (*Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fetch.URI, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json, */*;q=0.1")
	for _, header := range fetch.Headers {
		request.Header.Set(header.Name, header.Value)
	}
	return exchange(client, request, fetch.MaxBytes)
}

// send sends a request within its bounds. If that fails, it logs the reason,
// which contains nothing of the request, and returns nil.
func (s *settings) send(ctx context.Context, outgoing Outgoing) *Response {
	ctx, cancel := context.WithTimeout(ctx, outgoing.Timeout)
	defer cancel()
	response, err := post(ctx, s.client, outgoing)
	if err != nil {
		s.logRequest(outgoing, reason(err))
		return nil
	}
	if response.Status != http.StatusOK {
		s.logRequest(outgoing, fmt.Sprintf("the server answered %d", response.Status))
	}
	return response
}

func post(ctx context.Context, client *http.Client, outgoing Outgoing) (*Response, error) {
	request, err := http.NewRequestWithContext(ctx, outgoing.Method, outgoing.URI, bytes.NewReader(outgoing.Body))
	if err != nil {
		return nil, err
	}
	for _, header := range outgoing.Headers {
		request.Header.Add(header.Name, header.Value)
	}
	// The request may be sent again if the server has just closed an idle
	// connection. This header is not sent: see [http.Transport].
	request.Header["Idempotency-Key"] = nil
	return exchange(client, request, outgoing.MaxBytes)
}

// exchange sends a request and reads the response, if its status is 200.
func exchange(client *http.Client, request *http.Request, maxBytes uint32) (*Response, error) {
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
		etag:         answer.Header.Get("ETag"),
	}
	if response.Status != http.StatusOK {
		return response, nil
	}
	if coding := answer.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, errors.New("the server compressed the document, although the request did not allow it")
	}
	tooLong := fmt.Errorf("%w: more than %d bytes", errTooLong, maxBytes)
	if answer.ContentLength > int64(maxBytes) {
		return nil, tooLong
	}
	response.Body, err = io.ReadAll(io.LimitReader(answer.Body, int64(maxBytes)+1))
	if err != nil {
		return nil, err
	}
	if len(response.Body) > int(maxBytes) {
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

// logRequest logs why there is no usable response to a request.
func (s *settings) logRequest(outgoing Outgoing, reason string) {
	uri, _, _ := strings.Cut(outgoing.URI, "?")
	s.logger.LogAttrs(context.Background(), slog.LevelWarn, "countersign: a response is not available",
		slog.String("issuer", outgoing.Issuer), slog.String("uri", uri), slog.String("reason", reason))
}
