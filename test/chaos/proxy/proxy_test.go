package proxy

import (
	"bufio"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// pair is a network with one connection, from a to b, both ends in this process.
func pair(t *testing.T) (n *Network, a, b net.Conn) {
	t.Helper()
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { behind.Close() })
	n = New()
	t.Cleanup(n.Close)
	n.Name(os.Getpid(), "a")
	address, err := n.Door("b", behind.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if a, err = net.Dial("tcp", address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if b, err = behind.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	for _, end := range []net.Conn{a, b} {
		if err := end.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return n, a, b
}

func say(t *testing.T, to net.Conn, line string) {
	t.Helper()
	if _, err := to.Write([]byte(line + "\n")); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, from net.Conn, want string) {
	t.Helper()
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil || line != want+"\n" {
		t.Fatalf("heard %q, %v; want %q", line, err, want)
	}
}

// A way that is cut holds back what is sent, also the end of the connection, while the way back is open.
func TestOneWayIsCut(t *testing.T) {
	n, a, b := pair(t)
	say(t, a, "one")
	hear(t, b, "one")
	there := Way{"a", "b"}
	n.Set(Trouble{Cut: true}, there)
	say(t, a, "two")
	var healed atomic.Bool
	heard := make(chan bool)
	go func() {
		_, err := bufio.NewReader(b).ReadString('\n')
		heard <- err == nil && healed.Load()
	}()
	for _, word := range []string{"three", "four"} {
		say(t, b, word)
		hear(t, a, word)
	}
	healed.Store(true)
	n.Set(Trouble{}, there)
	if !<-heard {
		t.Error("what was sent on a way that is cut came, or never came")
	}
	a.Close()
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Error("the end of a connection does not come through")
	}
}

// A slow way brings everything, in order and late.
func TestSlowWay(t *testing.T) {
	n, a, b := pair(t)
	const delay = 200 * time.Millisecond
	n.Set(Trouble{Delay: delay, BytesPerSecond: 1 << 20}, Way{"a", "b"})
	begun := time.Now()
	say(t, a, "slow")
	hear(t, b, "slow")
	if took := time.Since(begun); took < delay {
		t.Errorf("what should take %v took %v", delay, took)
	}
}

// A reset ends the connections of a pair at both ends and no others.
func TestReset(t *testing.T) {
	n, a, b := pair(t)
	n.Reset("a", "c")
	say(t, a, "one")
	hear(t, b, "one")
	n.Reset("b", "a")
	for _, end := range []net.Conn{a, b} {
		if _, err := end.Read(make([]byte, 1)); err == nil {
			t.Error("a connection goes on after its reset")
		}
	}
}

// Nobody without a name gets through.
func TestStranger(t *testing.T) {
	n, a, _ := pair(t)
	n.mu.Lock()
	clear(n.names)
	n.mu.Unlock()
	again, err := net.Dial("tcp", a.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Read(make([]byte, 1)); err == nil {
		t.Error("a process without a name is let in")
	}
}
