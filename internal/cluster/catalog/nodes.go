package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// The keys of the items that tell of nodes and of the cluster.
const (
	nodePrefix = "node/"
	clusterKey = "cluster"
)

// NodeState says how far a node has come.
type NodeState string

// The states of a node, in the order in which it goes through them.
const (
	Joining NodeState = "joining"
	Up      NodeState = "up"
	// Leaving: nothing new is placed there, and what is there moves away.
	Leaving NodeState = "leaving"
	// Gone: it never comes back under this id.
	Gone NodeState = "gone"
)

// Node is what the catalog says of one node. It is never changed. Whether it lives is no item: nodes hear that.
type Node struct {
	ID uint64 `json:"id"`
	// RPC is where other nodes find it, HTTP where clients do.
	RPC  string `json:"rpc"`
	HTTP string `json:"http"`
	Zone string `json:"zone,omitempty"`
	// State is where the node stands, Format the newest format of stored bytes it can read.
	State  NodeState `json:"state"`
	Format int       `json:"format"`

	revision int64
}

// Cluster is what the catalog says of the cluster as a whole. It is never changed.
type Cluster struct {
	ID   uint64 `json:"id"`
	Name string `json:"name,omitempty"`
	// Replicas is how many copies a partition is to have.
	Replicas int `json:"replicas"`
	// ReplaceAfterSeconds is how long a node may be silent before its copies are made anew elsewhere; 0 is as it comes.
	ReplaceAfterSeconds int `json:"replaceAfterSeconds,omitempty"`
	// Format is what nodes write: it is raised by an operator, to no newer one than every node has said that it reads.
	Format int `json:"format"`
	// Generation and Members are those of the catalog's own partition, which no table lists.
	Generation uint64           `json:"generation"`
	Members    []command.Member `json:"members,omitempty"`
	// Moves are those that operators want and that are not done yet.
	Moves []Move `json:"moves,omitempty"`

	revision int64
}

// Move is an operator's wish: the replica of a partition on one node shall be on another.
type Move struct {
	Partition uint64 `json:"partition"`
	From      uint64 `json:"from"`
	To        uint64 `json:"to"`
}

// Nodes lists all nodes by their ids.
func (c *Catalog) Nodes() []*Node {
	nodes := c.current.Load().nodes
	list := make([]*Node, 0, len(nodes))
	for _, id := range slices.Sorted(maps.Keys(nodes)) {
		list = append(list, nodes[id])
	}
	return list
}

// Node finds a node by its id.
func (c *Catalog) Node(id uint64) (*Node, bool) {
	n, ok := c.current.Load().nodes[id]
	return n, ok
}

// Cluster is the cluster that this node is of; false where it is alone.
func (c *Catalog) Cluster() (*Cluster, bool) {
	cluster := c.current.Load().cluster
	return cluster, cluster != nil
}

// UpdateNode changes what the catalog says of a node, or enters it: change gets the node as it is, or one that has
// nothing but its id. It may be called again if another change came first.
func (c *Catalog) UpdateNode(ctx context.Context, id uint64, change func(Node) (Node, error)) error {
	pk := nodePrefix + strconv.FormatUint(id, 10)
	return c.again(ctx, pk, func() (int64, any, error) {
		now := Node{ID: id}
		if n, ok := c.Node(id); ok {
			now = *n
		}
		next, err := change(now)
		next.ID = id
		return now.revision, next, err
	})
}

// UpdateCluster changes what the catalog says of the cluster, or enters it.
func (c *Catalog) UpdateCluster(ctx context.Context, change func(Cluster) (Cluster, error)) error {
	return c.again(ctx, clusterKey, func() (int64, any, error) {
		now := Cluster{}
		if known, ok := c.Cluster(); ok {
			now = *known
		}
		next, err := change(now)
		return now.revision, next, err
	})
}

// again writes an item over the revision that it was made of, until no other comes in between.
func (c *Catalog) again(ctx context.Context, pk string, make func() (revision int64, body any, err error)) error {
	if err := c.Sync(ctx); err != nil {
		return err
	}
	for range updateTriesMax {
		revision, body, err := make()
		if err != nil {
			return err
		}
		err = c.putRevision(ctx, bodyItem(pk, revision+1, body), revision)
		if !errors.Is(err, errRaced) {
			return err
		}
		if err := c.Sync(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("changing the catalog's item %s: %w", pk, errRaced)
}

// takeNode brings an item that tells of a node, or of the cluster, into a map; other items it passes over.
func (s *state) takeNode(item attr.Map) error {
	pk, _ := item.Get(attributePK)
	name := string(pk.Str())
	var into any
	node, cluster := &Node{}, &Cluster{}
	switch {
	case strings.HasPrefix(name, nodePrefix):
		into = node
	case name == clusterKey:
		into = cluster
	default:
		return nil
	}
	content, _ := item.Get(attributeBody)
	err := json.Unmarshal(content.Str(), into)
	var revision int64
	if err == nil {
		revision, err = number(item, attributeRevision)
	}
	if err != nil {
		return fmt.Errorf("reading the catalog's item %s: %w", name, err)
	}
	if node.revision, cluster.revision = revision, revision; into == any(node) {
		s.nodes[node.ID] = node
	} else {
		s.cluster = cluster
	}
	return nil
}
