package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwx "github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/countersign/countersign/hosts/go/countersign"
)

const authority = "api.example.com"

// instance is the sealed module alone: the time of a check without a pool.
func (b *bench) instance(one algorithm, by countersign.Signatures) contestant {
	var instance *countersign.Instance
	requests := make([]countersign.Request, len(one.Tokens))
	for index, token := range one.Tokens {
		requests[index] = countersign.Request{
			Method: http.MethodGet, Authority: authority, Target: b.Target,
			Headers: []countersign.Header{{Name: "authorization", Value: "Bearer " + token}},
		}
	}
	return contestant{
		name: nameOf(by, "Instance.Check"),
		open: func() (err error) {
			if instance != nil {
				instance.Close()
			}
			instance, err = countersign.OpenInstance(context.Background(), []byte(one.Policy), countersign.WithSignatures(by))
			return err
		},
		check: func(from, to int) error {
			for _, request := range requests[from:to] {
				answer, err := instance.Check(request, uint64(time.Now().UnixMilli()))
				if err != nil || !answer.Allowed() {
					return fmt.Errorf("not admitted: %+v, %w", answer.Denial, err)
				}
			}
			return nil
		},
	}
}

func nameOf(by countersign.Signatures, call string) string {
	if by == countersign.Native {
		return "native signatures, " + call
	}
	return "sealed, " + call
}

var quiet = slog.New(slog.DiscardHandler)

// gate is the API that a service calls.
func (b *bench) gate(one algorithm, instances int, by countersign.Signatures) contestant {
	var gate *countersign.Gate
	requests := make([]*http.Request, len(one.Tokens))
	for index, token := range one.Tokens {
		r := httptest.NewRequest(http.MethodGet, b.Target, nil)
		r.Host = authority
		r.Header.Set("User-Agent", "bench")
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		requests[index] = r
	}
	ctx := context.Background()
	return contestant{
		name: nameOf(by, "Gate.Check"),
		open: func() (err error) {
			if gate != nil {
				if err := gate.Close(); err != nil {
					return err
				}
			}
			gate, err = countersign.New(ctx, []byte(one.Policy),
				countersign.WithInstances(instances), countersign.WithSignatures(by), countersign.WithLogger(quiet))
			return err
		},
		check: func(from, to int) error {
			for _, r := range requests[from:to] {
				if _, err := gate.Check(ctx, r); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// peers verify the signature at each call. They check issuer, audience and
// times as strictly as the gate, but not token types, scopes and tenants.
func (b *bench) peers(one algorithm) ([]contestant, error) {
	set, err := json.Marshal(map[string]any{"keys": []json.RawMessage{one.JWK}})
	if err != nil {
		return nil, err
	}
	golang, err := b.golangJWT(one, set)
	if err != nil {
		return nil, err
	}
	lestrrat, err := b.jwx(one, set)
	return []contestant{golang, lestrrat}, err
}

// claims has the claims that a service usually reads.
type claims struct {
	jwt.RegisteredClaims
	TenantID string `json:"tenant_id"`
	Scope    string `json:"scope"`
}

func (b *bench) golangJWT(one algorithm, set []byte) (contestant, error) {
	keys, err := keyfunc.NewJWKSetJSON(set)
	if err != nil {
		return contestant{}, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{one.Name}), jwt.WithIssuer(b.Issuer), jwt.WithAudience(b.Audience),
		jwt.WithExpirationRequired(), jwt.WithLeeway(30*time.Second),
	)
	check := func(token string) error {
		parsed, err := parser.ParseWithClaims(token, &claims{}, keys.Keyfunc)
		if err == nil && !parsed.Valid {
			err = errors.New("not valid")
		}
		return err
	}
	return peer("golang-jwt", one.Tokens, check), nil
}

func (b *bench) jwx(one algorithm, set []byte) (contestant, error) {
	keys, err := jwk.Parse(set)
	if err != nil {
		return contestant{}, err
	}
	options := []jwx.ParseOption{
		jwx.WithKeySet(keys), jwx.WithIssuer(b.Issuer), jwx.WithAudience(b.Audience),
		jwx.WithRequiredClaim("exp"), jwx.WithAcceptableSkew(30 * time.Second),
	}
	check := func(token string) error {
		_, err := jwx.Parse([]byte(token), options...)
		return err
	}
	return peer("jwx", one.Tokens, check), nil
}

func peer(name string, tokens []string, check func(token string) error) contestant {
	return contestant{
		name: name,
		open: func() error { return nil },
		check: func(from, to int) error {
			for _, token := range tokens[from:to] {
				if err := check(token); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		},
	}
}
