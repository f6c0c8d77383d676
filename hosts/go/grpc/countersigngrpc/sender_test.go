package countersigngrpc

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

func TestATokenIsBoundToTheCertificateOfTheConnection(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	gate, err := countersign.New(t.Context(), []byte(text(t, issuertest.Object{
		"contract": "1", "issuers": []issuertest.Object{issuer.Entry("platform")},
		"rules": []issuertest.Object{{"path": "/**", "require": issuertest.Object{}}},
	})), countersign.WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	sum := sha256.Sum256([]byte("own"))
	token := issuer.Fresh(issuertest.Object{"aud": "api", "cnf": issuertest.Object{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}})
	call := func(certificate string) error {
		caller := &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 7}}
		if certificate != "" {
			caller.AuthInfo = credentials.TLSInfo{State: tls.ConnectionState{
				HandshakeComplete: true, PeerCertificates: []*x509.Certificate{{Raw: []byte(certificate)}},
			}}
		}
		ctx := peer.NewContext(t.Context(), caller)
		ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(":authority", "api.example.com", "authorization", "Bearer "+token))
		handler := func(context.Context, any) (any, error) { return nil, nil }
		_, err := UnaryServerInterceptor(gate)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}, handler)
		return err
	}
	if err := call("own"); err != nil {
		t.Error(err)
	}
	isDenied(t, call("other"), codes.Unauthenticated, "proof_invalid")
	isDenied(t, call(""), codes.Unauthenticated, "proof_missing")
}

func TestACallWithAProofGetsANonceAndPassesOnce(t *testing.T) {
	issuer, sender := issuertest.New(t, issuertest.A), issuertest.NewSender(t)
	policy := policyOf(issuer)
	policy["credentials"] = []issuertest.Object{{"header": "authorization", "scheme": "DPoP"}}
	policy["dpop"] = issuertest.Object{"nonce": issuertest.Object{"secret_from": "nonce"}}
	secret := countersign.SecretBytes([]byte(strings.Repeat("n", 32)))
	client, spy := serveWith(t, policy, countersign.WithSecrets(map[string]countersign.Secret{"nonce": secret}))
	token := issuer.Fresh(issuertest.Object{"aud": "api", "sub": "ada", "scope": "read", "cnf": sender.Binding()})
	call := func(proof string) (nonce string, err error) {
		var header metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "DPoP "+token, "dpop", proof)
		_, err = client.Check(ctx, nil, grpc.Header(&header))
		return strings.Join(header.Get("dpop-nonce"), ""), err
	}
	proof := func(nonce string) string {
		return sender.FreshProof("POST", "http://bufconn/grpc.health.v1.Health/Check", token, issuertest.Object{"nonce": nonce})
	}
	nonce, err := call(proof("old"))
	isDenied(t, err, codes.Unauthenticated, "nonce_required")
	good := proof(nonce)
	if _, err := call(good); err != nil {
		t.Fatal(err)
	}
	isAda(t, <-spy.contexts)
	_, err = call(good)
	isDenied(t, err, codes.Unauthenticated, "proof_replayed")
}
