// Command fips is a small service for a test: it opens a gate with native
// signatures, checks tokens, and prints what it found. Its policy and tokens
// come from standard input.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// input has a policy, and requests by their names.
type input struct {
	Policy     json.RawMessage
	Signatures countersign.Signatures
	NowMS      int64
	Tokens     map[string]string
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(from io.Reader, to io.Writer) error {
	var in input
	if err := json.NewDecoder(from).Decode(&in); err != nil {
		return err
	}
	gate, err := countersign.New(context.Background(), in.Policy,
		countersign.WithSignatures(in.Signatures), countersign.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))),
		countersign.WithClock(func() time.Time { return time.UnixMilli(in.NowMS) }))
	if err != nil {
		return err
	}
	defer gate.Close()
	codes := map[string]string{}
	for name, token := range in.Tokens {
		codes[name] = check(gate, token)
	}
	return json.NewEncoder(to).Encode(map[string]any{"verifier": gate.Verifier(), "codes": codes})
}

func check(gate *countersign.Gate, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	_, err := gate.Check(context.Background(), r)
	var denial *countersign.Denial
	switch {
	case errors.As(err, &denial):
		return denial.Code
	case err != nil:
		return fmt.Sprint("error: ", err)
	}
	return "allow"
}
