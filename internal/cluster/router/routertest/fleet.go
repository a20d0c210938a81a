package routertest

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// copiesOfNew is how many first copies a new partition has.
const copiesOfNew = 3

// Member is a node with what stands above its partitions.
type Member struct {
	*Node
	Catalog *catalog.Catalog
	Router  *router.Router
	// Ordered performs the orders that a node has work for; nil refuses them.
	Ordered func(ctx context.Context, partition uint64, o command.Order) (uint64, error)
}

// Fleet is a cluster whose nodes have catalogs and routers.
type Fleet struct {
	*Cluster
	Members []*Member
}

// Partitions is the catalog's map, once there is one.
func (m *Member) Partitions(tableID uint64) []catalog.Partition { return m.Catalog.Partitions(tableID) }

// Sequence is the last change that the catalog's map shows.
func (m *Member) Sequence() uint64 { return m.Catalog.Sequence() }

// Splitting tells whether what the map shows of a table may lack what was split off.
func (m *Member) Splitting(ctx context.Context, tableID uint64) (bool, error) {
	return m.Catalog.Splitting(ctx, tableID)
}

// OpenFleet is a fleet of so many nodes. The first copies of a new partition are on the node that has its number among the
// new ones and on the next two.
func OpenFleet(tb testing.TB, nodes int) *Fleet {
	tb.Helper()
	f := &Fleet{Cluster: Open(tb, nodes)}
	choose := func(partitions int) ([][]uint64, error) {
		chosen := make([][]uint64, partitions)
		for i := range chosen {
			for j := range min(copiesOfNew, nodes) {
				chosen[i] = append(chosen[i], uint64((i+j)%nodes+1))
			}
		}
		return chosen, nil
	}
	for _, n := range f.Nodes {
		m := &Member{Node: n}
		n.ordered = func(ctx context.Context, partition uint64, o command.Order) (uint64, error) {
			if m.Ordered == nil {
				return 0, &command.Rejected{}
			}
			return m.Ordered(ctx, partition, o)
		}
		m.Router = router.New(n.Options(m))
		var err error
		m.Catalog, err = catalog.Open(context.Background(), catalog.Options{
			Store: m.Router.System(), Wait: replica.WaitOnChannel, Changed: func() {}, Choose: choose,
		})
		if err != nil {
			tb.Fatal(err)
		}
		f.Members = append(f.Members, m)
	}
	return f
}

// Member finds a member by its node's id.
func (f *Fleet) Member(id uint64) *Member { return f.Members[id-1] }

// Follow brings all catalogs up to date.
func (f *Fleet) Follow() {
	f.tb.Helper()
	for _, m := range f.Members {
		if err := m.Catalog.Sync(context.Background()); err != nil {
			f.tb.Fatal(err)
		}
	}
}

// Entry is what the catalog says of a table.
func (f *Fleet) Entry(name string) *catalog.Entry {
	f.tb.Helper()
	f.Follow()
	entry, ok := f.Members[0].Catalog.Entry(name)
	if !ok {
		f.tb.Fatalf("the catalog has no table %s", name)
	}
	return entry
}

// Table waits until the jobs have brought a table to rest.
func (f *Fleet) Table(name string, step func() error) *table.Table {
	f.tb.Helper()
	for range 20 {
		f.Follow()
		if err := step(); err != nil {
			f.tb.Fatal(err)
		}
		if t := f.Entry(name).Table; t.State == table.Active && t.Settled() {
			f.Follow()
			return t
		}
	}
	f.tb.Fatalf("table %s is not at rest", name)
	return nil
}

// Birth makes this node's copies of new partitions. A group is led by its first member once most of it is born.
func (n *Node) Birth(tableID uint64, partitions []catalog.Partition) error {
	c := n.cluster
	for _, p := range partitions {
		part := machine.Born(p.ID, tableID, p.Bounds)
		part.Descriptor.Members, part.Descriptor.NextReplica = p.Members, uint64(len(p.Members)+1)
		c.mu.Lock()
		g := c.groups[p.ID]
		if g == nil {
			g = &group{cluster: c, copies: map[uint64]*member{}, state: part, epoch: firstEpoch - 1}
			c.groups[p.ID] = g
		}
		c.mu.Unlock()
		g.mu.Lock()
		if _, born := g.copies[n.ID]; !born {
			g.join(n, part)
		}
		ready := len(g.copies) == len(p.Members)/2+1
		g.mu.Unlock()
		if ready {
			g.lead(n.ID)
		}
	}
	return nil
}

// Remove ends this node's copy of a partition.
func (n *Node) Remove(_ context.Context, partition uint64) error {
	g := n.cluster.group(partition)
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ok := g.copies[n.ID]; ok {
		m.replica.Stop()
		close(m.ended)
		delete(g.copies, n.ID)
	}
	return nil
}

// Start has nothing to do: the halves of a split are up at once.
func (n *Node) Start(uint64) error { return nil }

// Rows shows none.
func (n *Node) Rows(machine.Descriptor, []byte, int, func([]byte, int)) ([]byte, error) {
	return nil, nil
}

// Large lists none.
func (n *Node) Large(int64) []uint64 { return nil }

// Missing counts a partition's items as they are now, less those that it says it has.
func (n *Node) Missing(d machine.Descriptor) func() (command.Stats, error) {
	snapshot := n.engine.Snapshot()
	return func() (stats command.Stats, err error) {
		defer snapshot.Close()
		applied, err := machine.LoadApplied(snapshot, d.Partition)
		if err != nil {
			return stats, err
		}
		rows, err := snapshot.Iter(keys.Span(keys.SpaceData, d.Table, d.Bounds.Lower, d.Bounds.Upper))
		if err != nil {
			return stats, err
		}
		defer rows.Close()
		for ok := rows.First(); ok; ok = rows.Next() {
			value, err := rows.Value()
			if err != nil {
				return stats, err
			}
			item, err := record.ParseItem(value)
			if err != nil {
				return stats, err
			}
			stats.Items++
			stats.Bytes += int64(item.Size)
		}
		return stats.Minus(applied.Stats), rows.Err()
	}
}

// Leader is the node that leads a partition, 0 for none.
func (c *Cluster) Leader(partition uint64) uint64 { return c.group(partition).leader.Load() }

// Copies are the nodes that have a copy of a partition.
func (c *Cluster) Copies(partition uint64) []uint64 {
	g := c.group(partition)
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.nodes())
}

// Token is a key suffix at a place of the ring.
func Token(at uint64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, at), make([]byte, keys.TokenBytes-8)...)
}

var errTogether = errors.New("a node among others drops what it has one copy at a time")

// Drop is only for a node that is alone.
func (n *Node) Drop(uint64, []catalog.Partition) error { return errTogether }
