package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Server answers the cluster's other nodes at one address.
type Server struct {
	options   Options
	grpc      *grpc.Server
	peers     *Peers
	counts    *counts
	receiving chan struct{} // holds a place for each snapshot on its way in
	serving   chan error

	underWay gate // the calls that are served
	closing  sync.Once
}

// counts are what operators may want to see.
type counts struct {
	sessions, dropped, refused, strangers atomic.Int64
}

// Counts are sums since the process began.
type Counts struct {
	// Sessions are streams that were opened to peers, Dropped raft messages that found no room or no connection, Refused
	// calls of peers beyond what is served at once, Strangers streams of who named another cluster or none.
	Sessions, Dropped, Refused, Strangers int64
}

// What a stranger may cost.
const (
	handshakeMax      = connectMax
	headerBytesMax    = 8 << 10
	streamsPerConnMax = 8
)

// Listen begins to answer at the listener, which the server closes.
func Listen(o Options) (*Server, error) {
	if o.Cluster == 0 || o.Node == 0 || o.Handler == nil || o.Listener == nil {
		return nil, errors.New("a transport needs a cluster, a node, a listener and a handler")
	}
	o = o.withDefaults()
	s := &Server{options: o, counts: &counts{}, receiving: make(chan struct{}, snapshotsInMax), serving: make(chan error, 1)}
	s.peers = newPeers(o, s.counts)
	settings := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{}),
		grpc.MaxRecvMsgSize(messageBytesMax + frameOverheadMax), grpc.MaxSendMsgSize(messageBytesMax + frameOverheadMax),
		grpc.ConnectionTimeout(handshakeMax), grpc.MaxHeaderListSize(headerBytesMax), grpc.MaxConcurrentStreams(streamsPerConnMax),
		grpc.ReadBufferSize(ioBufferBytes), grpc.WriteBufferSize(ioBufferBytes),
		grpc.StaticStreamWindowSize(streamWindowBytes), grpc.StaticConnWindowSize(connWindowBytes),
		// Whoever dials watches the connection with pings. This end only has to notice that nobody is there any more.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		grpc.WaitForHandlers(true),
	}
	if o.TLS != nil {
		settings = append(settings, grpc.Creds(credentials.NewTLS(o.TLS.Clone())))
	}
	s.grpc = grpc.NewServer(settings...)
	s.grpc.RegisterService(s.description(), nil)
	go s.serve()
	return s, nil
}

// serve answers until Close. What ends it earlier would otherwise be seen only there.
func (s *Server) serve() {
	err := s.grpc.Serve(s.options.Listener)
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		s.options.Log.Error("no other node is answered any more, restart this one", "error", err)
	}
	s.serving <- err
}

// description is the service as generated code would describe it.
func (s *Server) description() *grpc.ServiceDesc {
	method := func(c Class, handle func(grpc.ServerStream) error) grpc.StreamDesc {
		d := streams[c]
		d.Handler = func(_ any, stream grpc.ServerStream) error { return handle(stream) }
		return d
	}
	return &grpc.ServiceDesc{
		ServiceName: serviceName,
		Methods:     []grpc.MethodDesc{{MethodName: joinMethod, Handler: s.joinHandler()}},
		Streams:     []grpc.StreamDesc{method(Raft, s.raft), method(Request, s.requests), method(Snapshot, s.snapshot)},
	}
}

// Peers are the nodes that can be asked from here.
func (s *Server) Peers() *Peers { return s.peers }

// Counts says what happened so far.
func (s *Server) Counts() Counts {
	return Counts{s.counts.sessions.Load(), s.counts.dropped.Load(), s.counts.refused.Load(), s.counts.strangers.Load()}
}

// Close stops. Calls under way may finish until ctx ends; those that come now are refused as certainly not begun.
func (s *Server) Close(ctx context.Context) error {
	var failed error
	s.closing.Do(func() {
		finished := s.underWay.shut()
		select {
		case <-finished:
		case <-ctx.Done():
		}
		s.peers.close()
		s.grpc.Stop()
		<-finished
		if err := <-s.serving; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			failed = fmt.Errorf("serving other nodes: %w", err)
		}
	})
	return failed
}

// raft takes the messages of one peer.
func (s *Server) raft(stream grpc.ServerStream) error {
	peer, err := s.welcome(stream, Raft)
	if err != nil {
		return err
	}
	pong := func() error { return send(stream, []entry{{kind: kindPong, id: s.options.Incarnation}}) }
	return s.entries(stream, peer.node, pong, func(e *entry) error {
		if e.kind != kindMessage {
			return errFrame
		}
		s.options.Handler.Raft(peer.node, e.body)
		return nil
	})
}

// entries reads a peer's stream to its end and hands out what is in its frames. Whatever came is answered by a pong, not
// pings alone: on a slow line they stand behind what left before them.
func (s *Server) entries(stream grpc.ServerStream, from uint64, pong func() error, take func(*entry) error) error {
	var answered time.Time
	heard := func() error {
		s.peers.hearing.heard(from)
		now := time.Now()
		if now.Sub(answered) < pongEvery {
			return nil
		}
		answered = now
		return pong()
	}
	err := receive(stream, heard, func(e *entry) error {
		if e.kind == kindPing {
			s.peers.hearing.incarnated(from, e.id)
			return nil
		}
		return take(e)
	})
	if errors.Is(err, errFrame) {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return err
}

// gate counts who is inside, and lets nobody in once it is shut.
type gate struct {
	mu     sync.Mutex // guards what follows
	inside int
	empty  chan struct{} // set when the gate is shut; closed once nobody is inside
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 && g.empty != nil {
		close(g.empty)
	}
}

// shut returns a channel that is closed once nobody is inside. It is called once.
func (g *gate) shut() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.empty = make(chan struct{})
	if g.inside == 0 {
		close(g.empty)
	}
	return g.empty
}
