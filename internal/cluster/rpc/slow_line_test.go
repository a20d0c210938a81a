package rpc

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"
)

// These tests run in the time of a synctest bubble, which passes only while everything waits: how busy the machine is
// changes nothing.

// slowConn takes its time to read, so that what was sent waits in the buffer of the line.
type slowConn struct {
	net.Conn
	bytesPerSecond int
}

func (c slowConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), 64<<10)])
	time.Sleep(time.Duration(n) * time.Second / time.Duration(c.bytesPerSecond))
	return n, err
}

type slowListener struct {
	net.Listener
	bytesPerSecond int
}

func (l slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return slowConn{conn, l.bytesPerSecond}, err
}

// slowPair is node 1, from which tests ask, and node 2 at the other end of lines that carry so many bytes a second each
// way, behind buffers as deep as kernels make them.
func slowPair(t *testing.T, bytesPerSecond int, h *testHandler) (n *testNet, one *Server) {
	n = newNet()
	two := testOptions(n, 2, h)
	deep := bufconn.Listen(8 << 20)
	n.listeners[address(2)] = deep
	two.Listener = slowListener{deep, bytesPerSecond}
	serve(t, n, two)
	o := testOptions(n, 1, nil)
	o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := n.dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return slowConn{conn, bytesPerSecond}, nil
	}
	one = serve(t, n, o)
	one.Peers().SetAddress(2, address(2))
	return n, one
}

// A large call and its answer, and a large raft message, get through a slow line. Meanwhile the peer is heard, nothing
// takes it for silent, and what is small waits for no more than what was on its way before it.
func TestLargeMessagesOnASlowLine(t *testing.T) {
	for _, test := range []struct {
		name                  string
		bytes, bytesPerSecond int
	}{
		{"40 MB at 4 MB a second", 40 << 20, 4 << 20},
		{"6 MB at 384 KB a second", 6 << 20, 384 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { carryLarge(t, test.bytes, test.bytesPerSecond) })
		})
	}
}

func carryLarge(t *testing.T, size, bytesPerSecond int) {
	large, raft := bytes.Repeat([]byte("0123456789abcdef"), size/16), make(chan int, 1000)
	_, one := slowPair(t, bytesPerSecond, &testHandler{raft: func(_ uint64, message []byte) { raft <- len(message) }})
	peers := one.Peers()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		// The handler's time begins when all of the call has come.
		got, err := peers.Call(t.Context(), 2, 1, large)
		if err != nil || !bytes.Equal(got[1:], large) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}()
	if !peers.Send(2, 1, large) || !peers.Send(2, 1, make([]byte, 3)) {
		t.Fatal("no room for a raft message")
	}
	onTheWay := time.Duration(streamWindowBytes+4*partBytesMax) * time.Second / time.Duration(bytesPerSecond)
	small, order := 0, []int{}
	for done := false; !done; small++ {
		began := time.Now()
		if _, err := peers.Call(t.Context(), 2, 1, []byte("small")); err != nil || !peers.Send(2, 0, make([]byte, 1)) {
			t.Fatalf("a small call: %v", err)
		}
		if took := time.Since(began); took > 2*onTheWay {
			t.Errorf("a small call took %v, while %v of others' bytes may be on their way", took, onTheWay)
		}
		if heard, _ := peers.Alive(2); heard > silenceMax {
			t.Errorf("the peer was heard %v ago", heard)
		}
		select {
		case <-answered:
			done = true
		case <-time.After(time.Second):
		}
	}
	for range small + 2 {
		order = append(order, <-raft)
	}
	at := slices.Index(order, size)
	if at == 0 || slices.Index(order, 3) < at {
		t.Errorf("raft messages came in the order of these sizes: %v", order)
	}
	if sessions := one.Counts().Sessions; sessions != 2 {
		t.Errorf("%d sessions took the place of two", sessions)
	}
}

// A cable that is pulled in the middle of a large call is noticed as soon as any other. The call certainly did not happen.
func TestSilenceInTheMiddleOfALargeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, one := slowPair(t, 4<<20, nil)
		ended := make(chan error, 1)
		go func() {
			_, err := one.Peers().Call(t.Context(), 2, 1, make([]byte, 40<<20))
			ended <- err
		}()
		time.Sleep(3 * time.Second)
		n.deaf.Store(true)
		// What the line holds is still heard.
		const drained = 2 * time.Second
		select {
		case err := <-ended:
			unreachable(t, err, false, errSilent)
		case <-time.After(drained + silenceMax + 2*pingEvery):
			t.Error("the peer still counts as alive")
		}
		n.deaf.Store(false)
	})
}
