// Package rpc carries bytes between the nodes of one cluster: raft messages, requests with their answers, snapshots. It
// does not know what the bytes mean, or which node should be asked.
package rpc

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"stator/internal/base/trace"
)

// Class is a kind of traffic. Each has a stream of its own to each peer, on a connection of its own: a snapshot's chunks
// in front of a heartbeat would cost an election.
type Class byte

// The classes.
const (
	Raft Class = iota + 1
	Request
	Snapshot
)

// String names the class as the service's method does.
func (c Class) String() string { return [...]string{"", "Raft", "Request", "Snapshot"}[c] }

// Handler gets what peers send. All its methods are called from many goroutines, and the bytes they get are theirs to keep.
type Handler interface {
	// Raft takes one message. It never blocks: the messages of a whole node wait behind it.
	Raft(from uint64, message []byte)
	// Call answers a request, in a goroutine of its own. The context ends when the asker no longer waits. An error goes
	// back through Options.AppendError.
	Call(ctx context.Context, from uint64, method byte, body []byte) ([]byte, error)
	// Snapshot takes a stream of chunks: next yields them until io.EOF. Nil says that all of it was taken.
	Snapshot(ctx context.Context, from uint64, header []byte, next func() ([]byte, error)) error
	// Join answers a node that is not yet of this cluster. It is the one thing that works without the cluster's id. An ErrBusy
	// has the node ask again, another error is final.
	Join(ctx context.Context, body []byte) ([]byte, error)
}

// Options say who this node is.
type Options struct {
	// Cluster and Node are this node's names. A peer that names another cluster, or that looked for another node, gets nothing.
	Cluster, Node uint64
	// Incarnation is another one at each start of the process, so that peers notice a quick restart.
	Incarnation uint64
	// Reads is the newest format of stored bytes that this node reads, Writes the one that it writes by now; nil is none.
	Reads    int
	Writes   func() int
	Listener net.Listener
	// TLS asks for certificates on both sides (LoadTLS); nil is in the clear.
	TLS     *tls.Config
	Handler Handler
	// AppendError writes the error of Handler.Call down for the asker, whose ParseError reads it; nil carries the text.
	AppendError func(dst []byte, err error) []byte
	ParseError  func(data []byte) error
	// Dial opens a connection to a peer's address; nil is TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// SnapshotBytesPerSecond bounds what all snapshots sent from here take together; 0 is SnapshotRateDefault.
	SnapshotBytesPerSecond int64
	Log                    *slog.Logger
	// Traces records where the time of calls goes that came with a position in a trace; nil is nobody.
	Traces trace.Recorder

	limits limits
}

// SnapshotRateDefault is how many bytes a second snapshots take at most: a gigabyte in half a minute.
const SnapshotRateDefault = 32 << 20

// The bounds of one message and one frame.
const (
	// messageBytesMax fits the largest batch that a group proposes (multiraft's entryBytesMax).
	messageBytesMax = 128 << 20
	// wholeBytesMax is how large an entry may be that is sent whole: pages and raft's usual messages, of a megabyte and what
	// they need around it, are not worth the waking that parts cost.
	wholeBytesMax = 5 << 18
	partBytesMax  = 256 << 10
	// frameBytesMax is how much is gathered into one frame. A larger entry is a frame of its own, a part may come on top.
	frameBytesMax = 1 << 20
	// frameOverheadMax is what a frame needs beside the body of its one entry.
	frameOverheadMax = 128
	joinBytesMax     = 64 << 10
)

// The bounds of time.
const (
	pingEvery = 500 * time.Millisecond
	// pongEvery is how often a peer that is heard is told so, at most.
	pongEvery = pingEvery / 2
	// silenceMax is how long a peer may leave pings unanswered before its connection counts as dead. TCP alone would
	// take minutes, and would keep a healed network waiting for its next try.
	silenceMax = 4 * pingEvery
	// dialMax bounds a dial, which kernels answer however busy their machines are. A network that heals waits for the next.
	dialMax = 2 * time.Second
	// connectMin bounds one try to reach a peer, from the dial to its answer. The bound doubles with each try that it ends, to
	// connectMax at most: nodes that are slower than any fixed bound would never meet. gRPC itself gives up after 20 s.
	connectMin = 2 * dialMax
	connectMax = 4 * connectMin
	// redialMin and redialMax bound the pause between tries: it doubles with each that fails.
	redialMin = 50 * time.Millisecond
	redialMax = time.Second
	// lostMin is how long a node is out of reach before that is told of: one that starts anew, or stands still for
	// a moment, is nothing to see to.
	lostMin = 30 * time.Second
	// callTimeMax is the deadline of a call that came without one.
	callTimeMax = 30 * time.Second
	// snapshotStallMax is how long a snapshot may stand still before it is given up.
	snapshotStallMax = 30 * time.Second
)

// limits are the bounds that tests tighten.
type limits struct {
	// queueEntriesMax and queueBytesMax bound what waits for one stream.
	queueEntriesMax, queueBytesMax int
	// callsMax bounds the calls under way to one peer, and those served for one.
	callsMax int
	// silence, see silenceMax.
	silence time.Duration
}

var defaultLimits = limits{queueEntriesMax: 8192, queueBytesMax: 64 << 20, callsMax: 4096, silence: silenceMax}

// The bounds of snapshots under way: beyond them a sender waits, and a receiver refuses.
const (
	snapshotsOutMax = 2
	snapshotsInMax  = 4
)

func (o Options) withDefaults() Options {
	if o.AppendError == nil {
		o.AppendError, o.ParseError = appendText, parseText
	}
	if o.Writes == nil {
		o.Writes = func() int { return 0 }
	}
	if o.Dial == nil {
		o.Dial = dialTCP
	}
	if o.SnapshotBytesPerSecond == 0 {
		o.SnapshotBytesPerSecond = SnapshotRateDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.limits == (limits{}) {
		o.limits = defaultLimits
	}
	return o
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}
