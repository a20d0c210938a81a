package rpc

import (
	"context"
	"crypto/tls"
	"fmt"
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

// Ask sends a request to the node at an address, and returns what its Handler.Join answers.
func (j Joining) Ask(ctx context.Context, address string, body []byte) ([]byte, error) {
	if j.Dial == nil {
		j.Dial = dialTCP
	}
	conn, err := dialer{j.TLS, j.Dial}.connect(address)
	if err != nil {
		return nil, fmt.Errorf("asking %s to join: %w", address, err)
	}
	defer conn.Close()
	var answer packet
	if err := conn.Invoke(ctx, "/"+serviceName+"/"+joinMethod, &packet{bytes: body}, &answer); err != nil {
		return nil, fmt.Errorf("asking %s to join: %s", address, status.Convert(err).Message())
	}
	return answer.bytes, nil
}

// join is the service's one unary method. Who comes in here has shown a certificate of the cluster, if there is TLS.
func (s *Server) join(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var request packet
	if err := decode(&request); err != nil {
		return nil, err
	}
	if len(request.bytes) > joinBytesMax {
		return nil, status.Error(codes.InvalidArgument, "a request to join is smaller")
	}
	answer, err := s.options.Handler.Join(ctx, request.bytes)
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &packet{bytes: answer}, nil
}
