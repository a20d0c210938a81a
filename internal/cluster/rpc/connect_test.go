package rpc

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"
)

// busyListener is of a machine that has no time to look at a connection at first.
type busyListener struct {
	net.Listener
	busy time.Duration
}

func (l busyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &busyConn{conn, l.busy}, err
}

type busyConn struct {
	net.Conn
	busy time.Duration
}

func (c *busyConn) Read(b []byte) (int, error) {
	time.Sleep(c.busy)
	c.busy = 0
	return c.Conn.Read(b)
}

// Nodes that take longer to answer a connection than the first tries wait come to be connected all the same.
func TestBusyNodesMeet(t *testing.T) {
	for _, busy := range []time.Duration{connectMin + time.Second, connectMax - time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet()
			two := testOptions(n, 2, nil)
			l := bufconn.Listen(1 << 20)
			n.listeners[address(2)] = l
			two.Listener = busyListener{l, busy}
			serve(t, n, two)
			peers := serve(t, n, testOptions(n, 1, nil)).Peers()
			peers.SetAddress(2, address(2))
			connected(t, peers, 4*connectMax)
		})
	}
}

// A network that loses everything is dialled again and again, however long it is torn: a dial that hangs does not stretch
// the next one.
func TestATornNetworkIsDialledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tornFor = 10 * time.Minute
		dials := make(chan time.Time, tornFor/redialMin)
		o := testOptions(newNet(), 1, nil)
		o.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			dials <- time.Now()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), tornFor)
		defer cancel()
		last := time.Now()
		newLink(newPeers(o.withDefaults(), &counts{}), 2, address(2), Raft).run(ctx)
		dials <- time.Now()
		close(dials)
		for at := range dials {
			if paused := at.Sub(last); paused > dialMax+2*redialMax {
				t.Errorf("nobody dialled for %v", paused)
			}
			last = at
		}
	})
}

// connected waits until a call to node 2 is answered.
func connected(t *testing.T, peers *Peers, most time.Duration) {
	t.Helper()
	const look = 10 * time.Millisecond
	for began := time.Now(); ; time.Sleep(look) {
		_, err := peers.Call(t.Context(), 2, 1, nil)
		if err == nil {
			return
		}
		if waited := time.Since(began); waited > most {
			t.Fatalf("after %v: %v", waited, err)
		}
	}
}

// A node that stays out of reach is told of with the reason, but not with each try.
func TestANodeOutOfReachIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		o := testOptions(newNet(), 1, nil)
		o.Log = slog.New(slog.NewTextHandler(&told, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		l := newLink(newPeers(o.withDefaults(), &counts{}), 2, address(2), Raft)
		l.run(ctx)
		lines := strings.Count(told.String(), "no connection to a node")
		if lines < 5 || lines > 10 || !strings.Contains(told.String(), "nobody listens") {
			t.Errorf("in an hour it is told of %d times: %s", lines, told.String())
		}
	})
}

// A node that no longer hears others says so when it happens, and once more when it is closed.
func TestADoorThatFailsIsToldOf(t *testing.T) {
	told := make(chan string, 1)
	n := newNet()
	o := testOptions(n, 1, nil)
	o.Listener = n.listen(address(1))
	o.Log = slog.New(slog.NewTextHandler(lines(told), nil))
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	if line := <-told; !strings.Contains(line, "no other node is answered any more") {
		t.Error(line)
	}
	if err := s.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "serving other nodes") {
		t.Error(err)
	}
}

// lines hands on what is written to it.
type lines chan<- string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
