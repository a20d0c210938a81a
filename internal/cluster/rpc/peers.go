package rpc

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Peers are the other nodes of the cluster, as far as an address of them is known.
type Peers struct {
	options Options
	dialer  dialer
	hearing *hearing
	counts  *counts
	pace    *pace
	sending chan struct{} // holds a place for each snapshot on its way out

	mu      sync.Mutex // held by whoever changes peers
	running sync.WaitGroup
	closed  bool
	// peers is replaced whole, so that a call finds its peer without a lock.
	peers atomic.Pointer[map[uint64]*peer]
}

// peer is the way to one node.
type peer struct {
	address  string
	raft     *link
	requests *link
}

func newPeers(o Options, c *counts) *Peers {
	p := &Peers{
		options: o, dialer: dialer{o.TLS, o.Dial}, hearing: newHearing(), counts: c,
		pace: newPace(o.SnapshotBytesPerSecond), sending: make(chan struct{}, snapshotsOutMax),
	}
	p.peers.Store(&map[uint64]*peer{})
	return p
}

func (p *Peers) find(node uint64) (*peer, bool) {
	known, ok := (*p.peers.Load())[node]
	return known, ok
}

// SetAddress says where a node listens; connections to it are made and kept at once. An empty address forgets the node.
func (p *Peers) SetAddress(node uint64, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, known := p.find(node)
	if p.closed || node == p.options.Node || known && old.address == address || !known && address == "" {
		return
	}
	next := maps.Clone(*p.peers.Load())
	delete(next, node)
	if address != "" {
		next[node] = p.start(node, address)
	}
	p.peers.Store(&next)
	if known {
		old.stop()
	}
}

func (p *Peers) start(node uint64, address string) *peer {
	started := &peer{address, newLink(p, node, address, Raft), newLink(p, node, address, Request)}
	for _, l := range []*link{started.raft, started.requests} {
		ctx, stop := context.WithCancel(context.Background())
		l.stop = stop
		p.running.Go(func() { l.run(ctx) })
	}
	return started
}

func (p *peer) stop() {
	p.raft.stop()
	p.requests.stop()
}

// Send hands a raft message to a node's stream and never blocks. Messages of one lane arrive in the order in which they were
// sent; those of lane 0 may overtake larger ones. False: it was dropped, as too much waits there or there is no connection.
func (p *Peers) Send(node, lane uint64, message []byte) bool {
	to, ok := p.find(node)
	sent := ok && len(message) <= messageBytesMax && to.raft.outbox.put(entry{kind: kindMessage, lane: lane, body: message}) == nil
	if !sent {
		p.counts.dropped.Add(1)
	}
	return sent
}

// Call asks a node and waits for its answer until ctx ends. The error is either the handler's, or an *Unreachable which
// says whether the node may have been asked.
func (p *Peers) Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error) {
	to, ok := p.find(node)
	if !ok {
		return nil, &Unreachable{Node: node, Cause: ErrUnknown}
	}
	return to.requests.call(ctx, method, body)
}

// Alive is how long ago anything was heard of a node, and which incarnation of it; the largest duration for never.
// Pings come every half second.
func (p *Peers) Alive(node uint64) (heard time.Duration, incarnation uint64) {
	return p.hearing.since(node)
}

// Down tells that the last try to reach a node has failed: the process is gone, or the way there. It is known sooner than
// silence is.
func (p *Peers) Down(node uint64) bool {
	known, ok := p.find(node)
	return ok && known.raft.down.Load()
}

func (p *Peers) close() {
	p.mu.Lock()
	p.closed = true
	for _, known := range *p.peers.Load() {
		known.stop()
	}
	p.peers.Store(&map[uint64]*peer{})
	p.mu.Unlock()
	p.running.Wait()
}

// dialer makes connections.
type dialer struct {
	tls  *tls.Config
	dial func(context.Context, string) (net.Conn, error)
}

// The sizes of gRPC's buffers. A stream's window is what may be on its way, in buffers of kernels too, in front of a ping or a
// small call; it does for 32 MB a second, at which snapshots go, over 30 ms of way there and back. Windows are fixed: the
// library's own guess at them costs pings.
const (
	ioBufferBytes     = 128 << 10
	streamWindowBytes = 1 << 20
	connWindowBytes   = 2 << 20
)

// streams describe the methods of each class to gRPC.
var streams = [...]grpc.StreamDesc{
	Raft:     {StreamName: Raft.String(), ClientStreams: true, ServerStreams: true},
	Request:  {StreamName: Request.String(), ClientStreams: true, ServerStreams: true},
	Snapshot: {StreamName: Snapshot.String(), ClientStreams: true, ServerStreams: true},
}

// connect prepares a connection, which is made with its first stream. A session has one of its own and dials anew:
// gRPC's own reconnecting would keep a stream on a connection that only looks alive.
func (d dialer) connect(address string) (*grpc.ClientConn, error) {
	secrets := insecure.NewCredentials()
	if d.tls != nil {
		secrets = credentials.NewTLS(d.tls.Clone())
	}
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(secrets),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialMax)
			defer cancel()
			return d.dial(ctx, address)
		}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}),
			grpc.MaxCallRecvMsgSize(messageBytesMax+frameOverheadMax), grpc.MaxCallSendMsgSize(messageBytesMax+frameOverheadMax)),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
		grpc.WithReadBufferSize(ioBufferBytes), grpc.WithWriteBufferSize(ioBufferBytes),
		grpc.WithStaticStreamWindowSize(streamWindowBytes), grpc.WithStaticConnWindowSize(connWindowBytes),
		grpc.WithUserAgent("stator"),
	)
}
