package countersign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
)

// check reports a source that cannot be used.
func (s PolicySource) check() error {
	if (s.File == "") == (s.URL == "") {
		return errors.New("countersign: a policy has either a File or a URL")
	}
	if s.URL == "" {
		return nil
	}
	place, err := url.Parse(s.URL)
	if err != nil || place.Host == "" {
		return problemOf("policy_unavailable", "the URL of the policy is none")
	}
	isHere := slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, place.Hostname())
	if place.Scheme != "https" && (place.Scheme != "http" || !s.InsecureHTTP || !isHere) {
		return problemOf("policy_unavailable", "the URL of the policy is not `https`")
	}
	return nil
}

// read returns the signed policy.
func (s *policySource) read(ctx context.Context) (signed []byte, etag string, err error) {
	if s.File != "" {
		signed, err = readFile(s.File)
	} else {
		signed, etag, err = s.fetch(ctx)
	}
	if err != nil {
		// Without the URL, which may contain a key.
		return nil, "", problemOf("policy_unavailable", "the signed policy cannot be had: "+reason(err))
	}
	return signed, etag, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	// Nothing was written.
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, policyBytes+1))
	if err == nil && len(text) > policyBytes {
		err = errTooLong
	}
	return text, err
}

func (s *policySource) fetch(ctx context.Context) (signed []byte, etag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, policyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return nil, "", err
	}
	if s.etag != "" {
		request.Header.Set("If-None-Match", s.etag)
	}
	response, err := exchange(s.settings.client, request, policyBytes)
	switch {
	case err != nil:
		return nil, "", err
	case response.Status == http.StatusNotModified && s.etag != "":
		return s.signed, s.etag, nil
	case response.Status != http.StatusOK:
		return nil, "", fmt.Errorf("the server answered %d", response.Status)
	}
	return response.Body, response.etag, nil
}
