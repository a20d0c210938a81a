package rpc

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// serviceName ends with the version of what is said on the streams: a node of another version finds no service.
const serviceName = "stator.rpc.v1"

func methodName(c Class) string { return "/" + serviceName + "/" + c.String() }

// hello is how two nodes introduce themselves when a stream begins: the one that dials in its request's headers, the
// other in its answer's. Nothing else is said before both have looked.
type hello struct {
	cluster, node, to, incarnation uint64
	// reads is the newest format of stored bytes that the node reads, writes the one that it writes.
	reads, writes uint64
	// frames is the newest form of frames that it reads.
	frames uint64
}

// What the headers are called.
const (
	headerCluster     = "stator-cluster"
	headerNode        = "stator-node"
	headerTo          = "stator-to"
	headerIncarnation = "stator-incarnation"
	headerReads       = "stator-reads"
	headerWrites      = "stator-writes"
	headerFrames      = "stator-frames"
)

func (h hello) metadata() metadata.MD {
	hex := func(n uint64) string { return strconv.FormatUint(n, 16) }
	return metadata.Pairs(headerCluster, hex(h.cluster), headerNode, hex(h.node), headerTo, hex(h.to), headerIncarnation, hex(h.incarnation),
		headerReads, hex(h.reads), headerWrites, hex(h.writes), headerFrames, hex(h.frames))
}

// hello is what this node says of itself to another.
func (o *Options) hello(to uint64) hello {
	return hello{o.Cluster, o.Node, to, o.Incarnation, uint64(o.Reads), uint64(o.Writes()), formOfParts}
}

// understands tells whether two nodes can read what the other writes.
func (h hello) understands(peer hello) bool { return h.reads >= peer.writes && peer.reads >= h.writes }

// wholeBytes is how large an entry may be that is sent to the node whole.
func (h hello) wholeBytes() int {
	if h.frames < formOfParts {
		return messageBytesMax
	}
	return wholeBytesMax
}

func parseHello(md metadata.MD) (hello, bool) {
	good := true
	number := func(name string) uint64 {
		values := md.Get(name)
		if len(values) != 1 {
			good = false
			return 0
		}
		n, err := strconv.ParseUint(values[0], 16, 64)
		good = good && err == nil
		return n
	}
	h := hello{
		number(headerCluster), number(headerNode), number(headerTo), number(headerIncarnation), number(headerReads), number(headerWrites),
		formWhole,
	}
	if len(md.Get(headerFrames)) > 0 {
		h.frames = number(headerFrames)
	}
	return h, good && h.node != 0
}

// welcome looks at who opened a stream, and answers. A stranger is told nothing, not even what was wrong; a member that
// looked for another node learns whom it found. Where stored bytes are carried, both have to read what the other writes; a
// node that does not may still ask, and so learns from the catalog that it is too old.
func (s *Server) welcome(stream grpc.ServerStream, class Class) (peer hello, err error) {
	md, _ := metadata.FromIncomingContext(stream.Context())
	peer, ok := parseHello(md)
	if !ok || peer.cluster != s.options.Cluster {
		s.counts.strangers.Add(1)
		return peer, status.Error(codes.PermissionDenied, "")
	}
	if peer.to != s.options.Node {
		return peer, status.Errorf(codes.FailedPrecondition, "this is node %d", s.options.Node)
	}
	own := s.options.hello(peer.node)
	if class != Request && !own.understands(peer) {
		return peer, status.Errorf(codes.FailedPrecondition, "node %d reads formats up to %d and writes %d, node %d reads formats up to %d and writes %d",
			own.node, own.reads, own.writes, peer.node, peer.reads, peer.writes)
	}
	if err := stream.SendHeader(own.metadata()); err != nil {
		return peer, err
	}
	s.peers.hearing.incarnated(peer.node, peer.incarnation)
	return peer, nil
}

// introduce opens a stream to a node and waits for its answer.
func (p *Peers) introduce(ctx context.Context, conn *grpc.ClientConn, node uint64, class Class) (grpc.ClientStream, hello, error) {
	own := p.options.hello(node)
	stream, err := conn.NewStream(metadata.NewOutgoingContext(ctx, own.metadata()), &streams[class], methodName(class))
	if err != nil {
		return nil, hello{}, err
	}
	md, err := stream.Header()
	if err != nil {
		return nil, hello{}, err
	}
	peer, ok := parseHello(md)
	if !ok {
		// A refusal has no headers of ours: its status says why.
		if err := stream.RecvMsg(&packet{}); err != nil {
			return nil, hello{}, err
		}
		return nil, hello{}, fmt.Errorf("what answers there is no node")
	}
	if peer.cluster != p.options.Cluster || peer.node != node {
		return nil, hello{}, fmt.Errorf("what answers there is node %d of cluster %016x", peer.node, peer.cluster)
	}
	p.hearing.incarnated(node, peer.incarnation)
	return stream, peer, nil
}
