package countersigngrpc

import (
	"context"

	"google.golang.org/grpc"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// ObserveUnary returns an interceptor that PROTECTS NOTHING: it is for a
// migration. The gate decides and sends its events, and every call passes to the
// handler as it came. See [countersign.Gate.Observe]; the handler can get a
// decision that was made at once with [countersign.ObservedFrom].
func ObserveUnary(gate *countersign.Gate) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(observed(ctx, gate, info.FullMethod), req)
	}
}

// ObserveStream is [ObserveUnary] for streams.
func ObserveStream(gate *countersign.Gate) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return handler(srv, &admitted{stream, observed(stream.Context(), gate, info.FullMethod)})
	}
}

func observed(ctx context.Context, gate *countersign.Gate, method string) context.Context {
	decision, ok := gate.CheckObserved(ctx, requestOf(ctx, method))
	if !ok {
		return ctx
	}
	return countersign.NewObservedContext(ctx, decision)
}
