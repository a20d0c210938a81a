// Package nodetest is a node in one goroutine for tests: whoever waits for it runs it. It does not know what is tested.
package nodetest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// turnsMax ends a wait for what never comes.
const turnsMax = 100_000

// Node is a node whose every step is made by whoever waits.
type Node struct {
	*node.Steps
	Clock *clock.Manual
	// Turned is called before every turn, if it is set.
	Turned func()

	tb testing.TB
}

// Open is a node over a store in files, nil for one in memory. It is closed with the test.
func Open(tb testing.TB, files engine.FS) *Node {
	tb.Helper()
	if files == nil {
		files = engine.Memory()
	}
	return start(tb, files, clock.NewManual(time.UnixMilli(1_000_000)))
}

func start(tb testing.TB, files engine.FS, at *clock.Manual) *Node {
	tb.Helper()
	n := &Node{Clock: at, tb: tb}
	steps, err := node.Assemble(node.Options{
		Data: "store", FS: files, Clock: at, Random: rand.NewChaCha8([32]byte{}), Wait: n.Wait,
		Pause: func(_ context.Context, d time.Duration) error { at.Advance(d); n.Turn(); return nil },
		Log:   slog.New(slog.DiscardHandler), Fatal: func(err error) { tb.Error(err) },
		Broken: func(partition uint64, err error) { tb.Errorf("partition %d is broken: %v", partition, err) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	n.Steps = steps
	tb.Cleanup(func() { n.abandon() })
	if err := n.Recover(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return n
}

func (n *Node) abandon() {
	if n.Steps == nil {
		return
	}
	for n.Turn() {
		continue
	}
	if err := n.Abandon(); err != nil {
		n.tb.Error(err)
	}
	n.Steps = nil
}

// Crash ends the node where it stands and starts another over what a crash has left of its files.
func (n *Node) Crash(left engine.FS) *Node {
	n.tb.Helper()
	n.abandon()
	return start(n.tb, left, n.Clock)
}

// Turn makes one step of what writes need, and tells whether there was one to make.
func (n *Node) Turn() bool {
	if n.Turned != nil {
		n.Turned()
	}
	return n.Steps.Turn()
}

// Wait is the replica.Wait of this node: it runs until done, or ctx ends.
func (n *Node) Wait(ctx context.Context, done <-chan struct{}) error {
	for range turnsMax {
		select {
		case <-done:
			return nil
		default:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n.Turn()
	}
	return fmt.Errorf("nothing ends the wait: the node is at rest")
}

// Rest runs all works until none has anything to do.
func (n *Node) Rest() {
	n.tb.Helper()
	ctx := context.Background()
	for range 5 {
		for n.Turn() {
			continue
		}
		for _, work := range []func(context.Context) error{n.Control, n.Fill, n.Follow, n.Expire} {
			if err := work(ctx); err != nil {
				n.tb.Fatal(err)
			}
		}
		for n.Feed(ctx) {
			continue
		}
	}
}

// Create makes a table with so many partitions and waits until it is active.
func (n *Node) Create(t *table.Table, partitions int) *table.Table {
	n.tb.Helper()
	made, err := n.Catalog().Create(context.Background(), t, partitions)
	if err != nil {
		n.tb.Fatal(err)
	}
	n.Rest()
	now, ok := n.Catalog().TableByID(made.ID)
	if !ok || now.State != table.Active {
		n.tb.Fatalf("table %s is not active", t.Name)
	}
	return now
}

// Must is the replica of a partition that is here.
func (n *Node) Must(partition uint64) *replica.Replica {
	n.tb.Helper()
	r, ok := n.Replica(partition)
	if !ok {
		n.tb.Fatalf("partition %d is not here", partition)
	}
	return r
}

// System is the replica of the catalog's partition.
func (n *Node) System() *replica.Replica { return n.Must(machine.CatalogPartition) }

// Write performs a command on the partition of its key.
func (n *Node) Write(c *command.Command) command.Result {
	n.tb.Helper()
	r, err := n.Router().Write(context.Background(), c)
	if err != nil {
		n.tb.Fatal(err)
	}
	return r
}

// Entry is what the catalog says of a table.
func (n *Node) Entry(name string) *catalog.Entry {
	n.tb.Helper()
	entry, ok := n.Catalog().Entry(name)
	if !ok {
		n.tb.Fatalf("the catalog has no table %s", name)
	}
	return entry
}
