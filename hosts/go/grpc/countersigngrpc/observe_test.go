package countersigngrpc

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/countersign/countersign/hosts/go/countersign"
	"github.com/countersign/countersign/hosts/go/internal/issuertest"
)

type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamOf) Context() context.Context { return s.ctx }

func TestAnObservedCallPassesAsItCame(t *testing.T) {
	issuer := issuertest.New(t, issuertest.A)
	var events []countersign.DecisionEvent
	gate, err := countersign.New(t.Context(), []byte(text(t, policyOf(issuer))), countersign.WithInstances(1),
		countersign.WithOnDecision(func(_ context.Context, event countersign.DecisionEvent) { events = append(events, event) }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Close() }()
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer nonsense", "x-auth-subject", "eve"))
	var seen []context.Context
	_, err = ObserveUnary(gate)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/grpc.health.v1.Health/Check"},
		func(ctx context.Context, _ any) (any, error) { seen = append(seen, ctx); return nil, nil })
	if err != nil {
		t.Error(err)
	}
	err = ObserveStream(gate)(nil, streamOf{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: "/grpc.health.v1.Health/Watch"},
		func(_ any, stream grpc.ServerStream) error { seen = append(seen, stream.Context()); return nil })
	if err != nil || len(seen) != 2 || len(events) != 2 {
		t.Fatalf("%v, %d calls, %d events", err, len(seen), len(events))
	}
	for place, ctx := range seen {
		incoming, _ := metadata.FromIncomingContext(ctx)
		decision, ok := countersign.ObservedFrom(ctx)
		_, isGranted := countersign.FromContext(ctx)
		if incoming.Get("x-auth-subject")[0] != "eve" || !ok || isGranted || decision.Denial.Code != "token_malformed" {
			t.Errorf("%v, %v, a grant: %v", incoming, decision, isGranted)
		}
		if events[place].Mode != countersign.ModeObserved || events[place].Code != "token_malformed" {
			t.Errorf("%+v", events[place])
		}
	}
}
