// Package countersigngrpc puts a gate in front of a gRPC server.
//
// The gate decides a call as a POST request whose path is the full method
// (`/package.Service/Method`) and whose headers are the metadata. A rule's path
// is, for example, `/inventory.v1.Inventory/**`.
package countersigngrpc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/countersign/countersign/hosts/go/countersign"
)

// UnaryServerInterceptor returns an interceptor that calls the handler only if
// the gate allows the call. Handlers get the grant with
// [countersign.FromContext], and metadata with the changes of the grant.
func UnaryServerInterceptor(gate *countersign.Gate) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := admit(ctx, gate, info.FullMethod)
		if err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
}

// StreamServerInterceptor is [UnaryServerInterceptor] for streams. A stream is
// checked once, when it opens.
func StreamServerInterceptor(gate *countersign.Gate) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := admit(stream.Context(), gate, info.FullMethod)
		if err != nil {
			return err
		}
		return handler(srv, &admitted{stream, ctx})
	}
}

type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

func (a *admitted) Context() context.Context { return a.ctx }

// requestOf returns a call as the request that the gate decides.
func requestOf(ctx context.Context, method string) *http.Request {
	incoming, _ := metadata.FromIncomingContext(ctx)
	request := &http.Request{
		Method:     http.MethodPost,
		RequestURI: method,
		URL:        &url.URL{Path: method},
		Host:       strings.Join(incoming.Get(":authority"), ", "),
		Header:     http.Header{},
		ProtoMajor: 2,
	}
	for name, values := range incoming {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	setConnection(ctx, request)
	return request
}

func admit(ctx context.Context, gate *countersign.Gate, method string) (context.Context, error) {
	request := requestOf(ctx, method)
	decision, err := gate.Check(ctx, request)
	if err != nil || !decision.Allowed() {
		if decision.Denial != nil && decision.Denial.Nonce != "" {
			// It fails only without a call, as in a test.
			_ = grpc.SetHeader(ctx, metadata.Pairs("dpop-nonce", decision.Denial.Nonce))
		}
		return nil, statusOf(err)
	}
	outgoing := metadata.MD{}
	for name, values := range decision.Apply(request.Header) {
		outgoing[strings.ToLower(name)] = values
	}
	ctx = metadata.NewIncomingContext(ctx, outgoing)
	return countersign.NewContext(ctx, decision.Grant), nil
}

// setConnection sets what the server knows about the connection of a call.
func setConnection(ctx context.Context, request *http.Request) {
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	if caller.Addr != nil {
		request.RemoteAddr = caller.Addr.String()
	}
	if secured, ok := caller.AuthInfo.(credentials.TLSInfo); ok {
		request.TLS = &secured.State
	}
}

// statusOf returns a denial as a status. The denial's code is the reason of an
// ErrorInfo.
func statusOf(err error) error {
	var denial *countersign.Denial
	if answered := (*countersign.Answered)(nil); errors.As(err, &answered) {
		// A call is a POST, which the gate does not answer itself.
		return status.Error(codes.Unimplemented, "the gate answers this address itself, and not to calls")
	}
	if !errors.As(err, &denial) {
		return status.FromContextError(err).Err()
	}
	answer := status.New(codeOf(denial.Status), denial.Message)
	detailed, err := answer.WithDetails(&errdetails.ErrorInfo{Reason: denial.Code, Domain: "countersign"})
	if err != nil {
		return answer.Err()
	}
	return detailed.Err()
}

func codeOf(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	default:
		return codes.Unavailable
	}
}
