package countersigngrpc

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

// spy is a health service that keeps the contexts of its handlers.
type spy struct {
	grpc_health_v1.HealthServer
	contexts chan context.Context
}

func (s *spy) Check(ctx context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	s.contexts <- ctx
	return s.HealthServer.Check(ctx, r)
}

func (s *spy) Watch(r *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	s.contexts <- stream.Context()
	return s.HealthServer.Watch(r, stream)
}

func policyOf(issuer *issuertest.Issuer) issuertest.Object {
	return issuertest.Object{
		"contract": "1",
		"issuers":  []issuertest.Object{issuer.Entry("platform")},
		"rules": []issuertest.Object{
			{"path": "/grpc.health.v1.Health/Check", "require": issuertest.Object{"scopes": []string{"read"}}},
			{"path": "/grpc.health.v1.Health/Watch", "require": issuertest.Object{"scopes": []string{"watch"}}},
		},
		"forward": issuertest.Object{"x-auth-subject": "subject"},
	}
}

func serve(t *testing.T, issuer *issuertest.Issuer) (grpc_health_v1.HealthClient, *spy) {
	t.Helper()
	return serveWith(t, policyOf(issuer))
}

func serveWith(t *testing.T, policy issuertest.Object, options ...countersign.Option) (grpc_health_v1.HealthClient, *spy) {
	t.Helper()
	options = append(options, countersign.WithInstances(1))
	gate, err := countersign.New(t.Context(), []byte(text(t, policy)), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gate.Close() })
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(
		grpc.UnaryInterceptor(UnaryServerInterceptor(gate)),
		grpc.StreamInterceptor(StreamServerInterceptor(gate)),
	)
	spy := &spy{health.NewServer(), make(chan context.Context, 1)}
	grpc_health_v1.RegisterHealthServer(server, spy)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	dial := func(context.Context, string) (net.Conn, error) { return listener.Dial() }
	connection, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return grpc_health_v1.NewHealthClient(connection), spy
}

func with(t *testing.T, token string) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token, "x-auth-subject", "admin", "x_auth_subject", "admin")
}

func isAda(t *testing.T, ctx context.Context) {
	t.Helper()
	grant, ok := countersign.FromContext(ctx)
	if !ok || grant.Principal.Subject != "ada" {
		t.Errorf("the handler got %v", grant)
	}
	incoming, _ := metadata.FromIncomingContext(ctx)
	if spoofed := incoming.Get("x_auth_subject"); len(spoofed) > 0 {
		t.Errorf("a variant of the header has %v", spoofed)
	}
	if subject := incoming.Get("x-auth-subject"); len(subject) != 1 || subject[0] != "ada" {
		t.Errorf("the metadata have %v", subject)
	}
}

func isDenied(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	answer := status.Convert(err)
	var info *errdetails.ErrorInfo
	for _, detail := range answer.Details() {
		info, _ = detail.(*errdetails.ErrorInfo)
	}
	if answer.Code() != code || info.GetReason() != reason {
		t.Errorf("got %v, %v, want %v, %s", answer.Code(), info, code, reason)
	}
}

func TestACallIsCheckedByItsMethodAndMetadata(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	client, spy := serve(t, issuer)
	token := issuer.Fresh(issuertest.Object{"aud": "api", "sub": "ada", "scope": "read"})
	if _, err := client.Check(with(t, token), nil); err != nil {
		t.Fatal(err)
	}
	isAda(t, <-spy.contexts)
	_, err := client.Check(t.Context(), nil)
	isDenied(t, err, codes.Unauthenticated, "token_missing")
	_, err = client.List(with(t, token), nil)
	isDenied(t, err, codes.PermissionDenied, "rule_denied")
}

func TestAStreamIsCheckedWhenItOpens(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	client, spy := serve(t, issuer)
	watch := func(scope string) error {
		token := issuer.Fresh(issuertest.Object{"aud": "api", "sub": "ada", "scope": scope})
		stream, err := client.Watch(with(t, token), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			return err
		}
		_, err = stream.Recv()
		return err
	}
	if err := watch("watch"); err != nil {
		t.Fatal(err)
	}
	isAda(t, <-spy.contexts)
	isDenied(t, watch("read"), codes.PermissionDenied, "scope_insufficient")
}

func TestAnIssuerThatIsDownIsUnavailable(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	issuer.Answer("/jwks", issuertest.Status(500))
	client, _ := serve(t, issuer)
	_, err := client.Check(with(t, issuer.Fresh(issuertest.Object{"aud": "api"})), nil)
	isDenied(t, err, codes.Unavailable, "keys_unavailable")
}

func TestACancelledCallIsNotAnErrorOfTheGate(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	issuer.Answer("/jwks", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	gate, err := countersign.New(t.Context(), []byte(text(t, issuertest.Object{
		"contract": "1", "issuers": []issuertest.Object{issuer.Entry("platform")},
		"rules": []issuertest.Object{{"path": "/**", "require": issuertest.Object{}}},
	})), countersign.WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", "Bearer "+issuer.Fresh(issuertest.Object{"aud": "api"})))
	_, err = UnaryServerInterceptor(gate)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/a.B/C"}, nil)
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("%v", err)
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
