package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type field struct{ name, value string }

// An attacker can write the frames of HTTP/2 without a client library.
func TestHTTP2RequestsWithTwoTargetsAreRefused(t *testing.T) {
	gate := newGate(t, issuertest.New(t, issuertest.A))
	reached := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host, r.Header["Host"], r.URL, r.Header.Get("X-Auth-Subject"), r.Header["X_auth_subject"])
	})
	server := httptest.NewUnstartedServer(gate.Middleware(reached))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, test := range []struct {
		name, status string
		more         []field
	}{
		{"a public page", "200", []field{{":authority", "example.com"}, {":path", "/public/a"}}},
		{"the same host twice", "200", []field{{":authority", "example.com"}, {":path", "/public/a"}, {"host", "example.com"}}},
		{"two hosts", "400", []field{{":authority", "example.com"}, {":path", "/public/a"}, {"host", "admin.example.com"}}},
		{"two fields", "400", []field{{":path", "/public/a"}, {"host", "example.com"}, {"host", "admin.example.com"}}},
		{"no authority", "200", []field{{":path", "/public/a"}, {"host", "example.com"}}},
		{"an absolute path", "400", []field{{":authority", "example.com"}, {":path", "http://admin.example.com/public/a"}}},
		{"an opaque path", "400", []field{{":authority", "example.com"}, {":path", "x:y://z/public/a"}}},
		{"a user, which net/http resets", "reset", []field{{":authority", "a@example.com"}, {":path", "/public/a"}}},
		{"a path of another", "401", []field{{":authority", "example.com"}, {":path", "/admin/a"}}},
		{"an identity", "200", []field{{":authority", "example.com"}, {":path", "/public/a"}, {"x-auth-subject", "eve"}, {"x_auth_subject", "eve"}}},
	} {
		status, body := exchange(t, server.Listener.Addr().String(), append([]field{{":method", "GET"}, {":scheme", "https"}}, test.more...))
		if status != test.status || bytes.Contains(body, []byte("eve")) || status == "200" && bytes.Contains(body, []byte("admin")) {
			t.Errorf("%s: got %s, want %s: %s", test.name, status, test.status, body)
		}
	}
}

func exchange(t *testing.T, address string, fields []field) (status string, body []byte) {
	t.Helper()
	connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := connection.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(connection, connection)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		if err := encoder.WriteField(hpack.HeaderField{Name: field.name, Value: field.value}); err != nil {
			t.Fatal(err)
		}
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			status = frame.PseudoValue("status")
		case *http2.DataFrame:
			body = append(body, frame.Data()...)
		case *http2.RSTStreamFrame:
			return "reset", nil
		case *http2.GoAwayFrame:
			return "gone", nil
		}
		if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return status, body
		}
	}
}
