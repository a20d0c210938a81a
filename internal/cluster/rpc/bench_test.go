package rpc

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
)

// What a request of 1 KB and its answer cost: as one unary call of gRPC each, and on the one stream of a link.
func BenchmarkCalls(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l1, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	serve(b, nil, Options{Cluster: 7, Node: 2, Incarnation: 1, Listener: l, Handler: &testHandler{}})
	one := serve(b, nil, Options{Cluster: 7, Node: 1, Incarnation: 1, Listener: l1, Handler: &testHandler{}})
	one.Peers().SetAddress(2, l.Addr().String())
	body := make([]byte, 1024)
	b.Run("stream", func(b *testing.B) {
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := one.Peers().Call(context.Background(), 2, 1, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	b.Run("unary", func(b *testing.B) {
		conn, err := one.peers.dialer.connect(unaryServer(b))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				var answer packet
				if err := conn.Invoke(context.Background(), "/plain/Call", &packet{bytes: body}, &answer, grpc.WaitForReady(true)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// unaryServer answers calls one by one, with the same buffers and bytes.
func unaryServer(b *testing.B) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodecV2(codec{}), grpc.ReadBufferSize(ioBufferBytes), grpc.WriteBufferSize(ioBufferBytes),
		grpc.StaticStreamWindowSize(streamWindowBytes), grpc.StaticConnWindowSize(connWindowBytes))
	call := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request packet
		err := decode(&request)
		return &packet{bytes: append([]byte{1}, request.bytes...)}, err
	}
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "plain", Methods: []grpc.MethodDesc{{MethodName: "Call", Handler: call}}}, nil)
	go s.Serve(l)
	b.Cleanup(s.Stop)
	return l.Addr().String()
}
