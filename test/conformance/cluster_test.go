package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
	wholeMax   = waitMax
	// agreeMax is how long the nodes may answer a read differently.
	agreeMax = waitMax
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
			eventual := false
			look := func(in api.Input) error {
				eventual = isEventual(in)
				return nil
			}
			first := c.next()
			out, err := each[first][target](ctx, body, dst, append(slices.Clip(allow), look)...)
			if err != nil || !eventual {
				return out, err
			}
			var agreed []byte
			c.agree(target, func() bool {
				agreed, err = each[first][target](ctx, body, nil, allow...)
				for i := 1; i < clusterNodes && err == nil; i++ {
					other, failed := each[(first+i)%clusterNodes][target](ctx, body, nil, allow...)
					if failed != nil || !bytes.Equal(agreed, other) {
						return false
					}
				}
				return true
			})
			return append(dst, agreed...), err
		}
	}
	return calls
}

// next is the node whose turn it is.
func (c *cluster) next() int { return int(c.turn.Add(1) % clusterNodes) }

// agree asks until all nodes say the same. A case reads what it just wrote, as a client of one node may, and an eventual
// read is answered by a copy that may not have heard of it. As the leader's node reads its own copy, which has performed
// all that was answered, what all nodes say alike is no older than that; and every copy is seen to hold the same.
func (c *cluster) agree(what string, same func() bool) {
	for end := time.Now().Add(agreeMax); !same(); time.Sleep(pollEvery) {
		if time.Now().After(end) {
			report(fmt.Errorf("after %v the nodes still say different things of %s", agreeMax, what))
			return
		}
	}
}

// isEventual tells whether a request only reads, not strongly.
func isEventual(in api.Input) bool {
	strong := func(said *bool) bool { return said != nil && *said }
	switch in := in.(type) {
	case *api.GetItemInput:
		return !strong(in.ConsistentRead)
	case *api.QueryInput:
		return !strong(in.ConsistentRead)
	case *api.ScanInput:
		return !strong(in.ConsistentRead)
	case *api.ExecuteStatementInput:
		return selects(*in.Statement) && !strong(in.ConsistentRead)
	case *api.BatchGetItemInput:
		for _, of := range in.RequestItems {
			if !strong(of.ConsistentRead) {
				return true
			}
		}
	case *api.BatchExecuteStatementInput: // which holds reads or writes, not both
		for i := range in.Statements {
			if s := &in.Statements[i]; selects(*s.Statement) && !strong(s.ConsistentRead) {
				return true
			}
		}
	}
	return false
}

func selects(statement string) bool {
	s, err := partiql.Parse(statement)
	return err == nil && s.Verb == partiql.Select
}

// Table implements database: what all nodes know of a table's policies, which the doors ask.
func (c *cluster) Table(name string) (t *table.Table, ok bool) {
	c.agree("the policies of "+name, func() bool {
		t, ok = c.nodes[0].Table(name)
		for _, n := range c.nodes[1:] {
			other, known := n.Table(name)
			if known != ok || ok && !maps.Equal(t.Policies, other.Policies) {
				return false
			}
		}
		return true
	})
	return t, ok
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
