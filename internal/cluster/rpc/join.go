package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const joinMethod = "Join"

// Joining is how a node that is not yet of a cluster reaches one.
type Joining struct {
	TLS  *tls.Config
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Ask sends a request to the node at an address, and returns what its Handler.Join answers. The error is *Failed if that
// refused, else *Unreachable.
func (j Joining) Ask(ctx context.Context, address string, body []byte) ([]byte, error) {
	if j.Dial == nil {
		j.Dial = dialTCP
	}
	conn, err := dialer{j.TLS, j.Dial}.connect(address)
	if err != nil {
		return nil, &Unreachable{Cause: err}
	}
	defer conn.Close()
	var answer packet
	if err := conn.Invoke(ctx, "/"+serviceName+"/"+joinMethod, &packet{bytes: body}, &answer); err != nil {
		if status.Code(err) == codes.FailedPrecondition {
			return nil, &Failed{Text: status.Convert(err).Message()}
		}
		return nil, &Unreachable{Sent: true, Cause: err}
	}
	return answer.bytes, nil
}

// joinHandler has the shape that generated code gives to a method.
func (s *Server) joinHandler() grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		return s.join(ctx, decode)
	}
}

// join is the service's one unary method. Who comes in here has shown a certificate of the cluster, if there is TLS.
func (s *Server) join(ctx context.Context, decode func(any) error) (any, error) {
	var request packet
	if err := decode(&request); err != nil {
		return nil, err
	}
	if len(request.bytes) > joinBytesMax {
		return nil, status.Error(codes.InvalidArgument, "a request to join is smaller")
	}
	answer, err := s.options.Handler.Join(ctx, request.bytes)
	if errors.Is(err, ErrBusy) {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &packet{bytes: answer}, nil
}
