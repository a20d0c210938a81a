package node

import (
	"context"
	"errors"
	"sync/atomic"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/rpc"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// ExpiryWhole tells whether no partition rebuilds its index of expiry.
func (n *Node) ExpiryWhole() bool {
	for _, r := range n.host.all() {
		if r.State().Expiry != nil {
			return false
		}
	}
	return true
}

// Trim makes a step of the job that otherwise comes every trimEvery: a test is over before.
func (n *Node) Trim(ctx context.Context) error { return n.jobs.trim.Step(ctx) }

// Behindhand has work behind requests write to the catalog's partition when the node has begun to end, whoever gives up waiting.
func (n *Node) Behindhand() (wrote <-chan error) {
	done := make(chan error, 1)
	system, _ := n.host.Replica(machine.CatalogPartition)
	n.work.run(func(ctx context.Context) {
		<-ctx.Done()
		_, err := system.WriteAndWait(context.WithoutCancel(ctx), replica.WaitOnChannel, &command.Command{
			Action: command.Consume, Consumer: command.CatalogConsumer,
		})
		done <- err
	})
	return done
}

// Break has the group of a copy here say that it cannot go on, as it does where what was agreed cannot be performed.
func (s *Steps) Break(partition uint64) { s.node.broken(partition, errors.New("broken by a test")) }

// Copies counts the replicas that are here.
func (n *Node) Copies() int { return len(n.host.all()) }

// Count brings what was consumed into the books, as otherwise happens every meterEvery.
func (n *Node) Count(ctx context.Context) error { return n.count(ctx) }

// Consume counts units of writing that a table consumed, or gives them back.
func (n *Node) Consume(tableName string, units float64) {
	t, _ := n.catalog.Table(tableName)
	n.budget.Charge(capacity.Request{Payer: capacity.Payer{Table: t}, Kind: capacity.Writes, Units: units})
}

// IndexFills is the node's.
func (s *Steps) IndexFills() []IndexFill { return s.node.IndexFills() }

// FillOnce moves every index that is being filled by one chunk.
func (s *Steps) FillOnce(ctx context.Context) (more bool, err error) {
	return s.node.jobs.backfill.Step(ctx)
}

// Cool splits what is hot, as otherwise happens every heatEvery.
func (n *Node) Cool(ctx context.Context) error { return n.cool(ctx) }

// ID is this node's number in its cluster.
func (n *Node) ID() uint64 { return n.cluster.self }

// Holds tells whether a replica of a partition is here.
func (n *Node) Holds(partition uint64) bool {
	_, here := n.host.Replica(partition)
	return here
}

// Partitions is this node's map of a table.
func (n *Node) Partitions(tableID uint64) []catalog.Partition { return n.catalog.Partitions(tableID) }

// PartitionsOf is this node's map of a table that is there, or of a global index of it.
func (n *Node) PartitionsOf(name, index string) []catalog.Partition {
	entry, _ := n.catalog.Entry(name)
	if ix, ok := entry.Table.GlobalIndex(index); ok {
		return entry.Partitions[ix.ID]
	}
	return entry.Partitions[entry.Table.ID]
}

// Behind is a router of this node whose map of a table stays what it is now until a partition says that it is old, which
// told tells.
func (n *Node) Behind(tableID uint64) (r *router.Router, told func() bool) {
	m := &oldMap{lateMap: lateMap{n}, table: tableID, partitions: n.catalog.Partitions(tableID)}
	o := router.Options{Map: m, Host: n.host, Wait: n.options.Wait, Pause: n.options.Pause, Cluster: n.cluster.surroundings()}
	o.Cluster.Stale = func() { m.told.Store(true) }
	return router.New(o), m.told.Load
}

type oldMap struct {
	lateMap
	table      uint64
	partitions []catalog.Partition
	told       atomic.Bool
}

func (m *oldMap) Partitions(tableID uint64) []catalog.Partition {
	if tableID == m.table && !m.told.Load() {
		return m.partitions
	}
	return m.lateMap.Partitions(tableID)
}

// OpenReading opens a node of a release that reads formats up to one.
func OpenReading(ctx context.Context, o Options, format int) (*Node, error) {
	o.reads = format
	return Open(ctx, o)
}

// Handler answers other nodes, over whatever network.
func (n *Node) Handler() rpc.Handler { return n.cluster }

// RemoveCopy ends the copy of a partition that is here.
func (s *Steps) RemoveCopy(ctx context.Context, partition uint64) error {
	return copies{s.node.cluster}.Remove(ctx, partition)
}

// RemovableCopies lists the partitions that the job which drops copies would see here.
func (s *Steps) RemovableCopies() []uint64 { return copies{s.node.cluster}.Partitions() }

// Arrive has a partition come to be here, as a split or a snapshot brings one.
func (s *Steps) Arrive(part machine.Part) error {
	c := s.node.cluster
	if err := c.groups.Birth([]machine.Part{part}); err != nil {
		return err
	}
	c.births.add(part.Descriptor.Partition)
	return nil
}

// Attend makes a duty of a step until ctx ends.
func (n *Node) Attend(ctx context.Context, step func(context.Context) error) {
	n.loop(ctx, duty{"test", newSignal(), relaxedSyncEvery, step})
}

// BrokenCopies is Node.BrokenCopies.
func (s *Steps) BrokenCopies() int64 { return s.node.BrokenCopies() }

// Stuck is how many partitions came to be here and do not start.
func (s *Steps) Stuck() int { return s.node.cluster.births.stuckNow() }
