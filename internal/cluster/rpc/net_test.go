package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/test/bufconn"
)

// testNet is a network in memory, by address. Its connections can be cut, and made to swallow what they get.
type testNet struct {
	mu        sync.Mutex
	listeners map[string]*bufconn.Listener
	dialled   []net.Conn
	deaf      atomic.Bool
}

func newNet() *testNet { return &testNet{listeners: map[string]*bufconn.Listener{}} }

func (n *testNet) listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := bufconn.Listen(1 << 20)
	n.listeners[address] = l
	return l
}

// close has nobody listen at an address.
func (n *testNet) close(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, address)
}

func (n *testNet) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, errors.New("nobody listens at " + address)
	}
	conn, err := l.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialled = append(n.dialled, conn)
	return &deafConn{conn, n}, nil
}

// cut breaks every connection there is.
func (n *testNet) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.dialled {
		conn.Close()
	}
	n.dialled = nil
}

// deafConn loses what is written to it while the net is deaf, as a cable does that was pulled.
type deafConn struct {
	net.Conn
	net *testNet
}

func (c *deafConn) Write(b []byte) (int, error) {
	if c.net.deaf.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// testHandler is a Handler of functions; those that are nil answer with what they got.
type testHandler struct {
	raft     func(from uint64, message []byte)
	call     func(ctx context.Context, from uint64, method byte, body []byte) ([]byte, error)
	snapshot func(ctx context.Context, from uint64, header []byte, next func() ([]byte, error)) error
}

func (h *testHandler) Raft(from uint64, message []byte) {
	if h.raft != nil {
		h.raft(from, message)
	}
}

func (h *testHandler) Call(ctx context.Context, from uint64, method byte, body []byte) ([]byte, error) {
	if h.call != nil {
		return h.call(ctx, from, method, body)
	}
	return append([]byte{method}, body...), nil
}

func (h *testHandler) Snapshot(ctx context.Context, from uint64, header []byte, next func() ([]byte, error)) error {
	if h.snapshot != nil {
		return h.snapshot(ctx, from, header, next)
	}
	for {
		if _, err := next(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func (h *testHandler) Join(_ context.Context, body []byte) ([]byte, error) {
	return append([]byte("welcome "), body...), nil
}

// testOptions are those of node n of cluster 7.
func testOptions(n *testNet, node uint64, h *testHandler) Options {
	if h == nil {
		h = &testHandler{}
	}
	return Options{Cluster: 7, Node: node, Incarnation: 100 + node, Handler: h, Dial: n.dial, limits: defaultLimits}
}

func address(node uint64) string { return string(rune('a'+node)) + ":1" }

func serve(t testing.TB, n *testNet, o Options) *Server {
	t.Helper()
	if o.Listener == nil {
		o.Listener = n.listen(address(o.Node))
	}
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// pair is node 1, from which tests ask, and node 2, which answers with h.
func pair(t testing.TB, h *testHandler) (n *testNet, one, two *Server) {
	n = newNet()
	two = serve(t, n, testOptions(n, 2, h))
	one = serve(t, n, testOptions(n, 1, nil))
	one.Peers().SetAddress(2, address(2))
	two.Peers().SetAddress(1, address(1))
	return n, one, two
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come about: %s", what)
		}
	}
}

// unreachable asserts that a call got no answer, and what is known of it.
func unreachable(t testing.TB, err error, sent bool, cause error) {
	t.Helper()
	var u *Unreachable
	if !errors.As(err, &u) {
		t.Fatalf("the call ended with %v, not as unreachable", err)
	}
	if u.Sent != sent || cause != nil && !errors.Is(err, cause) {
		t.Fatalf("the call ended with sent=%v, %v; want sent=%v, %v", u.Sent, u.Cause, sent, cause)
	}
}
