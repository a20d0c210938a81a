package node

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"stator/internal/cluster/rpc"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// Membership says how a node is one of many. A node without one is alone.
type Membership struct {
	// Listener is for the other nodes, Address how they reach it. The node closes it.
	Listener net.Listener
	Address  string
	// TLS is asked for on both sides; nil is in the clear.
	TLS *tls.Config
	// Init makes a cluster of one out of a store that was alone, or is new. Join asks the node at one of these addresses for
	// a place in its cluster, for a store that is new. A store that is of a cluster goes on whatever is said here.
	Init bool
	Join []string
	Zone string
	// Replicas is how many copies a new cluster keeps.
	Replicas int
	// Timeout ends the tries of a request.
	Timeout time.Duration

	// Workers is how many workers the groups have, 0 for one for every two cores: a pass of a worker waits for the disk, and
	// decisions go on meanwhile.
	Workers int

	// Network is the way to the other nodes, nil for streams over Listener. A simulator brings its own.
	Network Network
}

// Network is a node's way to the others.
type Network interface {
	// Ask asks the node at an address for a place in its cluster.
	Ask(ctx context.Context, address string, body []byte) ([]byte, error)
	Messenger
	Presence
}

// Messenger brings bytes to nodes, as package rpc says.
type Messenger interface {
	Send(node, lane uint64, message []byte) bool
	Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error)
	SendSnapshot(ctx context.Context, node uint64, header []byte, next func() ([]byte, error)) error
}

// Presence is what is known of nodes themselves, as package rpc says.
type Presence interface {
	SetAddress(node uint64, address string)
	Alive(node uint64) (heard time.Duration, incarnation uint64)
	Down(node uint64) bool
}

// streams is the network that package rpc is.
type streams struct {
	rpc.Joining
	*rpc.Peers
}

// Why a node does not start.
var (
	// ErrOfCluster is the answer to starting a cluster's node alone: what it decided alone, the others would never know.
	ErrOfCluster = errors.New("this data directory is of a node of a cluster: start it with --rpc ADDR")
	// ErrNoCluster is the answer to starting a store as a node of a cluster that it is not of.
	ErrNoCluster = errors.New("this data directory is of no cluster: make one of it with --cluster-init, or join another with --join ADDR and an empty directory")
	// ErrOwnData is the answer to joining with a store that holds something.
	ErrOwnData = errors.New("--join takes an empty data directory or one of that cluster, and this one holds data of its own")
	// ErrOtherCluster is the answer to joining another cluster than the one that the store is of.
	ErrOtherCluster = errors.New("this data directory is of another cluster than the one at --join")
	// ErrRemoved is the answer to starting a node that is gone: that is for ever, and no other node looks for it any more.
	ErrRemoved = errors.New("this node was removed from its cluster for good: stop it, or start it with --join ADDR and an empty directory, as a new node")
)

// firstNode is the node that a store is of before it is of a cluster.
const firstNode = 1

// rosterRecord is the node's record under which the roster lies.
const rosterRecord = "cluster"

// roster is what a node remembers of the others, so that it finds the catalog when it starts. That it is there says that
// the store is of a cluster.
type roster struct {
	Nodes []rosterNode `json:"nodes"`
}

type rosterNode struct {
	ID  uint64 `json:"id"`
	RPC string `json:"rpc"`
}

func loadRoster(e *engine.Engine) (r roster, found bool, err error) {
	value, found, err := e.Get(keys.Node(rosterRecord))
	if err == nil && found {
		err = json.Unmarshal(value, &r)
	}
	if err != nil {
		return r, false, fmt.Errorf("reading what is known of other nodes: %w", err)
	}
	return r, found, nil
}

func (r roster) save(e *engine.Engine) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing what is known of other nodes: %w", err)
	}
	batch := e.NewBatch()
	defer batch.Close()
	batch.Set(keys.Node(rosterRecord), value)
	if err := e.Commit(batch, true); err != nil {
		return fmt.Errorf("writing what is known of other nodes: %w", err)
	}
	return nil
}

// joinRequest is what a node says that wants a place in a cluster. Node and Cluster are set by one that has a place.
type joinRequest struct {
	Cluster string `json:"cluster,omitempty"`
	Node    uint64 `json:"node,omitempty"`
	RPC     string `json:"rpc"`
	HTTP    string `json:"http"`
	Zone    string `json:"zone,omitempty"`
	Format  int    `json:"format"`
}

// joinAnswer is the place it gets.
type joinAnswer struct {
	Cluster string `json:"cluster"`
	Node    uint64 `json:"node"`
	// Members are the nodes with a copy of the catalog, Nodes all that there are.
	Members []uint64     `json:"members"`
	Nodes   []rosterNode `json:"nodes"`
	// Format is the one in force.
	Format int `json:"format"`
}

// Bounds of asking for a place.
const (
	// joinTimeMax is how long a new node looks for one: nodes that are started together find each other.
	joinTimeMax = time.Minute
	joinPause   = 300 * time.Millisecond
	// checkTimeMax is how long a node that has its place waits to hear whether --join means the same cluster.
	checkTimeMax = time.Second
)

// ask asks the nodes at --join in turn until one gives an answer.
func (m *Membership) ask(ctx context.Context, request joinRequest, n *Options) (*joinAnswer, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("joining a cluster: %w", err)
	}
	network := m.Network
	if network == nil {
		network = streams{Joining: rpc.Joining{TLS: m.TLS}}
	}
	for tries := 0; ; tries++ {
		address := m.Join[tries%len(m.Join)]
		content, err := network.Ask(ctx, address, body)
		if err == nil {
			var answer joinAnswer
			if err := json.Unmarshal(content, &answer); err != nil {
				return nil, fmt.Errorf("joining the cluster at %s: %w", address, err)
			}
			return &answer, nil
		}
		var refused *rpc.Failed
		if errors.As(err, &refused) || ctx.Err() != nil {
			return nil, fmt.Errorf("joining the cluster at %s: %w", address, err)
		}
		if tries == 0 {
			n.Log.Info("waiting for the cluster to join", "address", address, "certificates", m.TLS != nil, "error", err)
		}
		if ended := n.Pause(ctx, joinPause); ended != nil {
			return nil, fmt.Errorf("joining the cluster at %s: %w: %w", address, ended, err)
		}
	}
}

// request is what this node says of itself.
func (m *Membership) request(o *Options) joinRequest {
	return joinRequest{RPC: m.Address, HTTP: o.Address, Zone: m.Zone, Format: o.reads}
}

// openStore opens the node's store. One that is new and joins gets its name from the cluster before anything is written:
// a store never changes whose it is.
func openStore(ctx context.Context, o *Options) (*engine.Engine, *joinAnswer, error) {
	options, m := o.engine(), o.Membership
	var place *joinAnswer
	if m != nil && len(m.Join) > 0 {
		absent, err := engine.Absent(options)
		if err != nil {
			return nil, nil, err
		}
		if absent {
			asking, cancel := o.Within(ctx, joinTimeMax)
			defer cancel()
			if place, err = m.ask(asking, m.request(o), o); err != nil {
				return nil, nil, err
			}
			options.Ident = engine.Ident{Cluster: place.Cluster, Node: place.Node, Members: place.Members}
			options.Format = place.Format
		}
	}
	// A store that was made only to be refused would be in the way of --join.
	options.Existing = m != nil && !m.Init && place == nil
	e, err := engine.Open(options)
	if _, absent := errors.AsType[*engine.ErrAbsent](err); absent {
		return nil, nil, ErrNoCluster
	}
	return e, place, err
}

// enrol finds out whether the store is of a cluster, and whether it may be started as it was asked to. It returns the
// roster, which is written with the first start as a node of a cluster. Nobody else reads what a store holds that is of none,
// so that it is raised to the newest format at once.
func (m *Membership) enrol(ctx context.Context, e *engine.Engine, place *joinAnswer, o *Options) (roster, error) {
	known, found, err := loadRoster(e)
	if err != nil {
		return known, err
	}
	converted, err := multiraft.Hosted(e, machine.CatalogPartition)
	if err != nil {
		return known, fmt.Errorf("finding out whether the store is of a cluster: %w", err)
	}
	ident := e.Ident()
	switch member := found || converted || ident.Node != firstNode; {
	case m == nil && member:
		return known, ErrOfCluster
	case m == nil || !member && m.Init:
		return known, e.RaiseFormat(o.reads)
	case !member && len(m.Join) > 0:
		return known, ErrOwnData
	case !member:
		return known, ErrNoCluster
	case place != nil:
		known.Nodes = place.Nodes
		return known, known.save(e)
	case len(m.Join) > 0:
		return known, m.confirm(ctx, ident, o)
	}
	return known, nil
}

// confirm asks whether the cluster at --join is the one that this node is of, and takes it as it is. Where nobody answers, the
// node goes on: it may be the first of them all to start.
func (m *Membership) confirm(ctx context.Context, ident engine.Ident, o *Options) error {
	ctx, cancel := o.Within(ctx, checkTimeMax)
	defer cancel()
	request := m.request(o)
	request.Cluster, request.Node = ident.Cluster, ident.Node
	answer, err := m.ask(ctx, request, o)
	if refused, ok := errors.AsType[*rpc.Failed](err); ok {
		return refused
	}
	if err == nil && answer.Cluster != ident.Cluster {
		return ErrOtherCluster
	}
	return nil
}
