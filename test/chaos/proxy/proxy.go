// Package proxy is a network between processes of one machine, which carries their connections slowly, one way only or not at all.
// It does not know what is said on them.
package proxy

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// Way is a direction from one process to another, by their names.
type Way struct{ From, To string }

// Trouble is what is wrong with a way; its zero value is nothing.
type Trouble struct {
	// Cut holds back what is sent, as a network that loses every packet does: it comes once the way is whole again.
	Cut bool
	// Delay is how much later everything comes, BytesPerSecond bounds how much does; 0 is no bound.
	Delay          time.Duration
	BytesPerSecond int
}

// Network is what the processes reach each other through. Everyone listens behind a door of its own, at which connections are told apart
// by who made them: so each way can be troubled alone, although a process has one address for all others.
type Network struct {
	mu       sync.Mutex // guards what follows
	names    map[int]string
	troubles map[Way]Trouble
	changed  chan struct{} // closed and made anew with each change of troubles
	lines    map[*line]bool
	doors    []net.Listener
	running  sync.WaitGroup
}

// New is a network without troubles.
func New() *Network {
	return &Network{names: map[int]string{}, troubles: map[Way]Trouble{}, changed: make(chan struct{}), lines: map[*line]bool{}}
}

// Name says who a process is. Until then its connections are refused.
func (n *Network) Name(pid int, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[pid] = name
}

// Door opens an address at which others reach a process that listens at target.
func (n *Network) Door(name, target string) (address string, err error) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("opening a door to %s: %w", name, err)
	}
	n.mu.Lock()
	n.doors = append(n.doors, door)
	n.mu.Unlock()
	n.running.Go(func() {
		for {
			in, err := door.Accept()
			if err != nil {
				return
			}
			n.running.Go(func() { n.connect(in, name, target) })
		}
	})
	return door.Addr().String(), nil
}

// Set puts a trouble in the place of what is wrong with some ways.
func (n *Network) Set(t Trouble, ways ...Way) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range ways {
		n.troubles[w] = t
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

// Reset ends all connections between two processes, whoever made them.
func (n *Network) Reset(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.lines {
		if l.way == (Way{a, b}) || l.way == (Way{b, a}) {
			l.end()
		}
	}
}

// Close ends everything.
func (n *Network) Close() {
	n.mu.Lock()
	for _, door := range n.doors {
		door.Close()
	}
	for l := range n.lines {
		l.end()
	}
	n.mu.Unlock()
	n.running.Wait()
}

// trouble is what is wrong with a way now, and a channel that is closed when that may have changed.
func (n *Network) trouble(w Way) (Trouble, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.troubles[w], n.changed
}

// connect carries one connection until both its directions have ended.
func (n *Network) connect(in net.Conn, to, target string) {
	defer hangUp(in)
	n.mu.Lock()
	pids := make([]int, 0, len(n.names))
	for pid := range n.names {
		pids = append(pids, pid)
	}
	n.mu.Unlock()
	pid, err := owner(in.RemoteAddr(), pids)
	if err != nil {
		return
	}
	out, err := net.Dial("tcp", target)
	if err != nil {
		return // whoever connects learns of it by the end of its own connection
	}
	n.mu.Lock()
	l := &line{way: Way{n.names[pid], to}, in: in, out: out, ended: make(chan struct{})}
	n.lines[l] = true
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { n.carry(l, l.way, in, out) })
	both.Go(func() { n.carry(l, Way{to, l.way.From}, out, in) })
	both.Wait()
	n.mu.Lock()
	delete(n.lines, l)
	n.mu.Unlock()
	l.end()
}

// line is a connection: in was made by the process at the beginning of its way, out leads to the one at its end.
type line struct {
	way     Way
	in, out net.Conn
	once    sync.Once
	ended   chan struct{}
}

// end cuts a connection at once, with nothing said.
func (l *line) end() {
	l.once.Do(func() {
		close(l.ended)
		for _, c := range []net.Conn{l.in, l.out} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // what was not sent is lost either way
			}
			hangUp(c)
		}
	})
}

// hangUp ends a connection. One that has ended already says so, and nobody asks.
func hangUp(c net.Conn) { _ = c.Close() }

const (
	chunkBytes = 16 << 10
	// chunksMax bounds what is under way in one direction.
	chunksMax = 256
)

// chunk is what was read together, and when.
type chunk struct {
	bytes []byte
	at    time.Time
}

// carry brings what comes from one end to the other, and its end. An end that cannot pass waits, too.
func (n *Network) carry(l *line, w Way, from, to net.Conn) {
	chunks := make(chan chunk, chunksMax)
	go func() {
		defer close(chunks)
		for {
			bytes := make([]byte, chunkBytes)
			count, err := from.Read(bytes)
			select {
			case chunks <- chunk{bytes[:count], time.Now()}:
			case <-l.ended:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range chunks {
		if !n.pass(l, w, c) {
			l.end()
			continue // the reader ends
		}
		if _, err := to.Write(c.bytes); err != nil {
			l.end()
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // an end that is gone already needs no telling
	}
}

// pass waits until a chunk may go its way, and tells whether there still is one.
func (n *Network) pass(l *line, w Way, c chunk) bool {
	for {
		t, changed := n.trouble(w)
		wait := time.Until(c.at.Add(t.Delay))
		if t.BytesPerSecond > 0 {
			wait = max(wait, 0) + time.Duration(len(c.bytes))*time.Second/time.Duration(t.BytesPerSecond)
		}
		var over <-chan time.Time
		switch {
		case t.Cut:
		case wait <= 0:
			return true
		default:
			over = time.After(wait)
		}
		select {
		case <-over:
			return true
		case <-changed:
		case <-l.ended:
			return false
		}
	}
}
