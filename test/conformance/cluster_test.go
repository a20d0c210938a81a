package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/jobs/rebalance"
	"stator/internal/model/api"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/storage/engine"
)

const (
	clusterNodes      = 5
	clusterReplicas   = 3
	clusterPartitions = 16 // of a table
	// requestMax is more than a server's own: the machine is small, and shared with the tests of other packages.
	requestMax = 20 * time.Second
	wholeMax   = 30 * time.Second
)

// cluster is five nodes of this program as one database. Each request goes to the next of them: of five, one leads what it
// asks for, two have a copy, and two have nothing of it.
type cluster struct {
	nodes []*node.Node
	turn  atomic.Uint64
}

// needsOneNode skips what only holds where one node answers.
func needsOneNode(t *testing.T, why string) {
	t.Helper()
	if _, many := behindDoors.(*cluster); many {
		t.Skip("over a cluster: " + why)
	}
}

// serveCluster opens the nodes and waits until they know each other and the catalog has all its copies.
func serveCluster() (stop func(), err error) {
	c := &cluster{}
	first := ""
	for range clusterNodes {
		n, address, err := openMember(first)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		if c.nodes = append(c.nodes, n); first == "" {
			first = address
		}
	}
	if err := c.whole(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return serve(c)
}

// openMember opens a node in memory: the first makes the cluster, the others join it.
func openMember(first string) (n *node.Node, address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	m := &node.Membership{Listener: listener, Address: listener.Addr().String(), Replicas: clusterReplicas, Timeout: requestMax}
	if m.Init = first == ""; !m.Init {
		m.Join = []string{first}
	}
	n, err = node.Open(context.Background(), node.Options{
		Data: "data", FS: engine.Memory(), DiskReserve: -1, Membership: m,
		Partitions: clusterPartitions, Region: "us-east-1", Account: "000000000000", Broken: broken,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})).With("at", m.Address),
	})
	return n, m.Address, err
}

// whole waits until every node serves and every partition has its replicas.
func (c *cluster) whole() error {
	var last string
	for end := time.Now().Add(wholeMax); time.Now().Before(end); time.Sleep(pollEvery) {
		answer, err := c.nodes[0].AskCluster(context.Background(), rebalance.Question{Verb: rebalance.VerbStatus})
		if err != nil || answer.Overview == nil {
			continue
		}
		o := answer.Overview
		if o.Tally.Total > 0 && o.Tally.Whole == o.Tally.Total && len(o.Nodes) == clusterNodes && o.MovesCount == 0 {
			return nil
		}
		last = fmt.Sprintf("%+v", *o)
	}
	return fmt.Errorf("the cluster is not whole after %v: %s", wholeMax, last)
}

// Calls implements database: the operations of all nodes in turn.
func (c *cluster) Calls() map[string]api.Call {
	var each []map[string]api.Call
	for _, n := range c.nodes {
		each = append(each, n.Calls())
	}
	calls := map[string]api.Call{}
	for target := range each[0] {
		calls[target] = func(ctx context.Context, body, dst []byte, allow ...api.Allow) ([]byte, error) {
			return each[c.turn.Add(1)%clusterNodes][target](ctx, body, dst, append(slices.Clip(allow), c.strong)...)
		}
	}
	return calls
}

// Table implements database.
func (c *cluster) Table(name string) (*table.Table, bool) {
	return c.nodes[c.turn.Add(1)%clusterNodes].Table(name)
}

// Close implements database. The nodes end together: what they led needs no other leader any more.
func (c *cluster) Close() error {
	failed := make([]error, len(c.nodes))
	var ending sync.WaitGroup
	for i, n := range c.nodes {
		ending.Go(func() { failed[i] = n.Close() })
	}
	ending.Wait()
	return errors.Join(failed...)
}

// strong makes the reads of a request strong that leave that open: a case reads what it just wrote, as a client of one node
// may, and an eventual read may be answered by a copy that has not heard of it yet. What a case says of its reads itself
// stays, and so does what cannot be strong: a read of a global index.
func (c *cluster) strong(in api.Input) error {
	switch in := in.(type) {
	case *api.GetItemInput:
		fill(&in.ConsistentRead)
	case *api.BatchGetItemInput:
		for name, of := range in.RequestItems {
			fill(&of.ConsistentRead)
			in.RequestItems[name] = of
		}
	case *api.QueryInput:
		if c.canBeStrong(*in.TableName, in.IndexName) {
			fill(&in.ConsistentRead)
		}
	case *api.ScanInput:
		if c.canBeStrong(*in.TableName, in.IndexName) {
			fill(&in.ConsistentRead)
		}
	case *api.ExecuteStatementInput:
		if c.statementCanBeStrong(*in.Statement) {
			fill(&in.ConsistentRead)
		}
	case *api.BatchExecuteStatementInput:
		for i := range in.Statements {
			if c.statementCanBeStrong(*in.Statements[i].Statement) {
				fill(&in.Statements[i].ConsistentRead)
			}
		}
	}
	return nil
}

// canBeStrong tells whether a read is of the table or of a local index.
func (c *cluster) canBeStrong(name string, index *string) bool {
	if index == nil {
		return true
	}
	t, ok := c.Table(name)
	if !ok {
		return false
	}
	_, local := t.LocalIndex(*index)
	return local
}

func (c *cluster) statementCanBeStrong(text string) bool {
	s, err := partiql.Parse(text)
	if err != nil || s.Verb != partiql.Select {
		return false
	}
	if s.Index == "" {
		return true
	}
	return c.canBeStrong(s.Table, &s.Index)
}

func fill(said **bool) {
	if *said == nil {
		yes := true
		*said = &yes
	}
}
