package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/router/routertest"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// fleet is a catalog on each of five nodes; the first three have copies of the catalog's partition.
type fleet struct {
	*routertest.Cluster
	catalogs []*catalog.Catalog
}

func newFleet(t testing.TB) *fleet {
	t.Helper()
	f := &fleet{Cluster: routertest.Open(t, 5)}
	for _, n := range f.Nodes {
		f.catalogs = append(f.catalogs, f.open(t, n))
	}
	return f
}

// chosen puts the i-th new partition on the nodes from i on.
func chosen(partitions int) ([][]uint64, error) {
	nodes := make([][]uint64, partitions)
	for i := range nodes {
		nodes[i] = []uint64{uint64(i%5 + 1), uint64((i+1)%5 + 1), uint64((i+2)%5 + 1)}
	}
	return nodes, nil
}

func (f *fleet) open(t testing.TB, n *routertest.Node) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(t.Context(), catalog.Options{
		Store: router.New(n.Options(nil)).System(), Wait: replica.WaitOnChannel, Changed: func() {}, Choose: chosen,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is done to the catalog through one node is there on it at once, on another as soon as that asks, and on all as soon
// as they follow. The copy of the catalog that a node keeps may lag meanwhile.
func TestEveryNodeWrites(t *testing.T) {
	f := newFleet(t)
	for i, c := range f.catalogs {
		f.Lag(machine.CatalogPartition, 2, i != 0)
		name := fmt.Sprint("table", i)
		if _, err := c.Create(t.Context(), things(name, 1), 4); err != nil {
			t.Fatal(err)
		}
		for j, other := range f.catalogs {
			if _, there := other.Table(name); there != (i == j) {
				t.Errorf("before it asks, node %d has the table of node %d: %t", j+1, i+1, there)
			}
		}
		for j, other := range f.catalogs {
			if err := other.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, there := other.Table(name); !there {
				t.Errorf("having asked, node %d does not know the table of node %d", j+1, i+1)
			}
		}
	}
	f.Lag(machine.CatalogPartition, 2, false)
	if _, err := f.catalogs[4].Update(t.Context(), "table0", remove); err != nil {
		t.Fatal(err)
	}
	for j, c := range f.catalogs {
		if err := c.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		agree(t, &follower{Catalog: f.catalogs[0]}, &follower{Catalog: c})
		if len(c.Names()) != 4 {
			t.Errorf("node %d follows to %v", j+1, c.Names())
		}
	}
}

// Whoever is late is refused or asked again, wherever the other one was.
func TestNodesRace(t *testing.T) {
	f := newFleet(t)
	var running sync.WaitGroup
	made := make([]error, len(f.catalogs))
	for i, c := range f.catalogs {
		running.Go(func() {
			if _, made[i] = c.Create(t.Context(), things("things", 0), 2); made[i] != nil && !errors.Is(made[i], catalog.ErrExists) {
				t.Error(made[i])
			}
			for round := range 5 {
				_, err := c.Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
					next := now.Clone()
					if next.Tags == nil {
						next.Tags = map[string]string{}
					}
					next.Tags[fmt.Sprint(i, " ", round)] = ""
					return next, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	created := 0
	for _, err := range made {
		if err == nil {
			created++
		}
	}
	now, _ := f.open(t, f.Nodes[4]).Table("things")
	if created != 1 || len(now.Tags) != 25 {
		t.Errorf("created %d times, %d of 25 changes", created, len(now.Tags))
	}
}

// gated is a store whose change log is read when the gate opens.
type gated struct {
	catalog.Store
	looks, waiting atomic.Int64
	gate           chan struct{}
}

func (g *gated) ChangesAndWait(ctx context.Context, wait replica.Wait, p command.ChangesPlan) (command.LogPage, error) {
	g.looks.Add(1)
	<-g.gate
	return g.Store.ChangesAndWait(ctx, wait, p)
}

// Those who ask at the same time share looks at the catalog's partition, and each look begins after all who share it asked.
func TestSyncsAreShared(t *testing.T) {
	f := newFleet(t)
	g := &gated{Store: router.New(f.Nodes[4].Options(nil)).System(), gate: make(chan struct{})}
	close(g.gate)
	c, err := catalog.Open(t.Context(), catalog.Options{Store: g, Changed: func() {},
		Wait: func(ctx context.Context, done <-chan struct{}) error {
			g.waiting.Add(1)
			return replica.WaitOnChannel(ctx, done)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.gate = make(chan struct{})
	g.looks.Store(0)
	var running sync.WaitGroup
	for range 1000 {
		running.Go(func() {
			if err := c.Sync(t.Context()); err != nil {
				t.Error(err)
			}
			if _, there := c.Table("things"); !there {
				t.Error("the look began too early")
			}
		})
	}
	for g.waiting.Load() < 999 {
		time.Sleep(time.Millisecond)
	}
	if _, err := f.catalogs[0].Create(t.Context(), things("things", 0), 1); err != nil {
		t.Fatal(err)
	}
	close(g.gate)
	running.Wait()
	if g.looks.Load() != 2 {
		t.Errorf("%d looks for 1000 who ask", g.looks.Load())
	}
}

// A new partition names its first copies, and so do those of an index that is added.
func TestMembers(t *testing.T) {
	f := newFleet(t)
	made, err := f.catalogs[3].Create(t.Context(), things("things", 1), 4)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := f.catalogs[4].UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Table = now.Table.Clone()
		next.Table.Global = append(next.Table.Global, things("things", 2).Global[1])
		return &next, nil
	})
	if err != nil || len(entry.Partitions) != 3 {
		t.Fatal(err, entry)
	}
	for id, partitions := range entry.Partitions {
		for i, p := range partitions {
			want := command.Member{Replica: 3, Node: uint64((i+2)%5 + 1)}
			if len(p.Members) != 3 || p.Members[2] != want {
				t.Errorf("partition %d of %d has members %v", i, id, p.Members)
			}
		}
	}
	if len(f.catalogs[4].Partitions(made.ID)) != 4 {
		t.Error("partitions are missing")
	}
}

// Nodes and the cluster are items like tables: entered once, changed over what they are, followed by all.
func TestNodes(t *testing.T) {
	f := newFleet(t)
	if _, in := f.catalogs[0].Cluster(); in {
		t.Error("nobody has made a cluster yet")
	}
	for i, c := range f.catalogs {
		id := uint64(i + 1)
		err := c.UpdateNode(t.Context(), id, func(n catalog.Node) (catalog.Node, error) {
			n.RPC, n.State, n.Zone = fmt.Sprint("host:", i), catalog.Joining, "a"
			return n, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := f.catalogs[1].UpdateCluster(t.Context(), func(now catalog.Cluster) (catalog.Cluster, error) {
		now.ID, now.Replicas = 77, 3
		return now, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []catalog.NodeState{catalog.Up, catalog.Leaving, catalog.Gone} {
		err := f.catalogs[2].UpdateNode(t.Context(), 4, func(n catalog.Node) (catalog.Node, error) { n.State = state; return n, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := errors.New("no")
	if err := f.catalogs[2].UpdateNode(t.Context(), 4, func(n catalog.Node) (catalog.Node, error) { return n, refused }); !errors.Is(err, refused) {
		t.Errorf("a change that is refused: %v", err)
	}
	for _, c := range append(f.catalogs, f.open(t, f.Nodes[3])) {
		if err := c.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes := c.Nodes()
		cluster, in := c.Cluster()
		if len(nodes) != 5 || nodes[3].State != catalog.Gone || nodes[3].RPC != "host:3" || !in || cluster.ID != 77 {
			t.Errorf("nodes %+v, cluster %+v", nodes, cluster)
		}
		if n, ok := c.Node(2); !ok || n.ID != 2 || n.State != catalog.Joining {
			t.Errorf("node 2: %+v", n)
		}
	}
}

// Without a leader of the catalog's partition nothing changes, and a node that starts has the map of a copy.
func TestCatalogWithoutLeader(t *testing.T) {
	f := newFleet(t)
	if _, err := f.catalogs[0].Create(t.Context(), things("things", 0), 1); err != nil {
		t.Fatal(err)
	}
	f.Lead(machine.CatalogPartition, 0)
	if _, err := f.catalogs[1].Create(t.Context(), things("more", 0), 1); err == nil {
		t.Error("a table was created without a leader")
	}
	if err := f.catalogs[1].Sync(t.Context()); err == nil {
		t.Error("the map is up to date without a leader")
	}
	f.Down(1, true)
	late := f.open(t, f.Nodes[4])
	if _, there := late.Table("things"); !there {
		t.Error("a node that starts knows no tables")
	}
	f.Lead(machine.CatalogPartition, 3)
	if err := late.Sync(context.Background()); err != nil {
		t.Error(err)
	}
}

// A node that starts while nobody leads the catalog's partition may have read its items of a copy that is behind the one that told how far it
// had come: once somebody leads, the node has what it missed.
func TestMapOfSeveralCopies(t *testing.T) {
	f := newFleet(t)
	f.Lag(machine.CatalogPartition, 2, true)
	made, err := f.catalogs[0].Create(t.Context(), things("things", 0), 1)
	if err != nil {
		t.Fatal(err)
	}
	f.Lead(machine.CatalogPartition, 0)
	late, err := catalog.Open(t.Context(), catalog.Options{
		Store: apart{f.hasty(0), f.hasty(1)}, Wait: replica.WaitOnChannel, Changed: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Lag(machine.CatalogPartition, 2, false)
	f.Lead(machine.CatalogPartition, 1)
	if err := late.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, there := late.TableByID(made.ID); !there {
		t.Error("the node never learns of the table")
	}
}

// apart reads the change log of one copy, the items of another.
type apart struct {
	catalog.Store
	items catalog.Store
}

func (a apart) ScanAndWait(ctx context.Context, wait replica.Wait, p *command.Plan) (command.Page, error) {
	return a.items.ScanAndWait(ctx, wait, p)
}

// hasty is the catalog's partition as seen from a node, for requests that are to fail.
func (f *fleet) hasty(node int) catalog.Store {
	o := f.Nodes[node].Options(nil)
	o.Cluster.Timeout = 100 * time.Millisecond
	return router.New(o).System()
}

// A table that another node has made is found, and one that nobody can ask for is not said to be missing.
func TestFindAsks(t *testing.T) {
	f := newFleet(t)
	f.Lag(machine.CatalogPartition, 2, true)
	made, err := f.catalogs[0].Create(t.Context(), things("things", 0), 1)
	if err != nil {
		t.Fatal(err)
	}
	late := f.catalogs[4]
	if found, err := late.Find(t.Context(), "things"); err != nil || found.Table.ID != made.ID {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := late.Find(t.Context(), "nothing"); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("of a table that is not there: %v", err)
	}
	f.Lead(machine.CatalogPartition, 0)
	if _, err := late.Find(t.Context(), "nothing"); err == nil || errors.Is(err, catalog.ErrMissing) {
		t.Errorf("with nobody to ask: %v", err)
	}
	if _, err := late.Find(t.Context(), "things"); err != nil {
		t.Errorf("what is known was asked for: %v", err)
	}
}

// What the map of 100,000 partitions weighs in memory, three members each, and what it costs to follow one change of it.
func BenchmarkMemory(b *testing.B) {
	f := newFleet(b)
	for i := range 100 {
		if _, err := f.catalogs[0].Create(b.Context(), things(fmt.Sprint("table", i), 0), 1000); err != nil {
			b.Fatal(err)
		}
	}
	used := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	before := used()
	c := f.open(b, f.Nodes[4])
	weight := used() - before
	for b.Loop() {
		_, err := f.catalogs[0].Update(b.Context(), "table7", func(now *table.Table) (*table.Table, error) { return now, nil })
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Follow(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(weight, "MB")
	runtime.KeepAlive(c)
}
