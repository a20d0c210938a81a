package router_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/router/routertest"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// fleet is a cluster of five nodes with a table whose partitions are on three of them each, and a router on every node.
type fleet struct {
	*routertest.Cluster
	table      *table.Table
	partitions []catalog.Partition
	routers    []*router.Router
	old        atomic.Int64
	sequence   uint64
}

func (f *fleet) Partitions(id uint64) []catalog.Partition {
	if id != f.table.ID {
		return nil
	}
	return f.partitions
}

func (f *fleet) Sequence() uint64 { return f.sequence }

func (*fleet) Splitting(context.Context, uint64) (bool, error) { return false, nil }

func newFleet(t testing.TB, partitions int) *fleet {
	t.Helper()
	f := &fleet{Cluster: routertest.Open(t, 5), table: &table.Table{
		ID: 100, Name: "things", Version: 1, State: table.Active, Streams: []table.Stream{{CreatedMillis: 7}},
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}},
	}}
	f.partitions = catalog.EvenPartitions(partitions, 101)
	for i := range f.partitions {
		p := &f.partitions[i]
		for copy := range 3 {
			p.Members = append(p.Members, command.Member{Replica: uint64(copy + 1), Node: uint64((i+copy)%5 + 1)})
		}
		part := machine.Born(p.ID, f.table.ID, p.Bounds)
		part.Table, part.Descriptor.Members = f.table, p.Members
		part.Streams = []machine.Stream{{ID: 7, Generation: 1, First: 1}}
		f.Start(part)
	}
	for _, n := range f.Nodes {
		o := n.Options(f)
		o.Cluster.Old = func() { f.old.Add(1) }
		f.routers = append(f.routers, router.New(o))
	}
	return f
}

// hasty is a router on a node for requests that are to fail.
func (f *fleet) hasty(node int) *router.Router {
	o := f.Nodes[node].Options(f)
	o.Cluster.Timeout = 100 * time.Millisecond
	return router.New(o)
}

func key(i int) []byte {
	return keys.Suffix([]attr.Value{attr.String(fmt.Sprint("item ", i))}, nil)
}

func (f *fleet) put(i int) *command.Command {
	return &command.Command{Action: command.Put, Table: f.table.ID, TableVersion: 1, Key: key(i),
		Item: attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(fmt.Sprint("item ", i))}})}
}

func (f *fleet) get(i int, strong bool) command.Get {
	return command.Get{Table: f.table.ID, TableVersion: 1, Key: key(i), Strong: strong}
}

// of finds the partition of an item.
func (f *fleet) of(i int) *catalog.Partition {
	for p := range f.partitions {
		if f.partitions[p].Bounds.Holds(key(i)) {
			return &f.partitions[p]
		}
	}
	return nil
}

// apart finds the node that keeps no copy of a partition.
func apart(p *catalog.Partition) int {
	node := int(p.Members[len(p.Members)-1].Node)%5 + 1
	return node
}

// Every node answers every request, whether it keeps a copy or not, and once it knows the leader it asks nobody else.
func TestAnyNodeAnswers(t *testing.T) {
	f := newFleet(t, 10)
	for i := range 50 {
		if _, err := f.routers[i%5].Write(t.Context(), f.put(i)); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		f.Calls()
		for i := range 50 {
			for n := range f.routers {
				result, err := f.routers[n].Read(t.Context(), f.get(i, true))
				if err != nil || len(result.Item) == 0 {
					t.Fatalf("item %d through node %d: %v, %v", i, n+1, result.Item, err)
				}
			}
		}
		if calls := f.Calls(); round == 1 && calls != 50*4 {
			t.Errorf("%d calls for 50 items read through 5 nodes, want 200: one of the five leads", calls)
		}
	}
	for n := range f.routers {
		page, err := f.routers[n].Scan(t.Context(), command.Plan{Table: 100, TableVersion: 1, Strong: n%2 == 0})
		if err != nil || len(page.Items) != 50 {
			t.Errorf("a scan through node %d shows %d items, %v", n+1, len(page.Items), err)
		}
	}
	if _, err := f.routers[0].Write(t.Context(), &command.Command{Action: command.Put, Table: 9, Key: key(1)}); !errors.Is(err, router.ErrNoTable) {
		t.Errorf("a table that is not there: %v", err)
	}
}

// A leader that moved is found: by the word of the one before, or, where that is dead, by asking on.
func TestFollowsTheLeader(t *testing.T) {
	f := newFleet(t, 1)
	from := f.routers[apart(f.of(1))-1]
	write := func(what string) {
		t.Helper()
		if _, err := from.Write(t.Context(), f.put(1)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	write("at first")
	f.Lead(101, 3)
	f.Calls()
	write("after a transfer")
	if calls := f.Calls(); calls != 2 {
		t.Errorf("%d calls to find a leader that the one before names, want 2", calls)
	}
	f.Down(3, true)
	f.Lead(101, 2)
	write("after a death")
	f.Lead(101, 0)
	time.AfterFunc(50*time.Millisecond, func() { f.Lead(101, 1) })
	write("after an election")
}

// Without a leader a strong request ends within its time with an error that says that nothing happened; an eventual read
// is answered by a copy here, or by one that can be reached.
func TestWithoutLeader(t *testing.T) {
	f := newFleet(t, 1)
	if _, err := f.routers[0].Write(t.Context(), f.put(1)); err != nil {
		t.Fatal(err)
	}
	f.Lead(101, 0)
	f.Down(1, true)
	f.Down(2, true)
	for _, n := range []int{2, 3} {
		_, err := f.hasty(n).Read(t.Context(), f.get(1, true))
		if _, rejected := errors.AsType[*command.Rejected](err); !rejected {
			t.Errorf("a strong read through node %d fails with %v", n+1, err)
		}
		result, err := f.routers[n].Read(t.Context(), f.get(1, false))
		if err != nil || len(result.Item) == 0 {
			t.Errorf("an eventual read through node %d: %v, %v", n+1, result, err)
		}
	}
}

// A copy here that has not heard of its leader lately is asked last, and that is counted.
func TestOldCopyIsAskedLast(t *testing.T) {
	f := newFleet(t, 1)
	if _, err := f.routers[0].Write(t.Context(), f.put(1)); err != nil {
		t.Fatal(err)
	}
	f.Lag(101, 3, true)
	two := f.put(1)
	two.Item = two.Item.With("round", attr.Int(2))
	if _, err := f.routers[0].Write(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	f.Nodes[2].Stale(101, true)
	result, err := f.routers[2].Read(t.Context(), f.get(1, false))
	if _, newer := result.Item.Get("round"); err != nil || !newer || f.old.Load() != 0 {
		t.Errorf("with others to ask: %v, %v, counted %d", result, err, f.old.Load())
	}
	f.Down(1, true)
	f.Down(2, true)
	result, err = f.routers[2].Read(t.Context(), f.get(1, false))
	if _, newer := result.Item.Get("round"); err != nil || len(result.Item) == 0 || newer || f.old.Load() != 1 {
		t.Errorf("with nobody to ask: %v, %v, counted %d", result, err, f.old.Load())
	}
}

// What may have happened is not asked for again; a read is.
func TestNoAnswer(t *testing.T) {
	f := newFleet(t, 1)
	names := expr.NewNames(nil, attr.NewMap([]attr.Entry{{Name: ":one", Value: attr.Int(1)}}))
	add, err := expr.ParseUpdate("ADD times :one", names)
	if err != nil {
		t.Fatal(err)
	}
	from := f.routers[apart(f.of(1))-1]
	f.Mute(1, true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := f.put(1)
	c.Action, c.Update = command.Update, add
	_, err = from.Write(ctx, c)
	if _, ambiguous := errors.AsType[*command.Ambiguous](err); !ambiguous {
		t.Errorf("a write without an answer: %v", err)
	}
	f.Mute(1, false)
	result, err := from.Read(t.Context(), f.get(1, true))
	times, _ := result.Item.Get("times")
	if err != nil || string(times.Number().Append(nil)) != "1" {
		t.Errorf("it happened %v times, %v", times, err)
	}
	f.Mute(1, true)
	if result, err := from.Read(t.Context(), f.get(1, false)); err != nil || len(result.Item) == 0 {
		t.Errorf("a read of which the first copy asked is mute: %v, %v", result, err)
	}
}

// Wishes about many keys reach all their partitions, though leaders move meanwhile.
func TestManyKeys(t *testing.T) {
	f := newFleet(t, 10)
	var spread router.Spread
	var gets []command.Get
	for i := range 40 {
		spread.Keys = append(spread.Keys, router.Key{Table: 100, TableVersion: 1, Suffix: key(i)})
		gets = append(gets, f.get(i, true))
	}
	spread.Make = func(at []int) (*command.Command, error) {
		part := &command.Transaction{ID: command.TransactionID{1, byte(at[0])}, SentMillis: f.NowMillis()}
		for _, i := range at {
			part.Actions = append(part.Actions, f.put(i))
		}
		return &command.Command{Action: command.Transact, Table: 100, Transaction: part}, nil
	}
	for round := range 5 {
		for i := range f.partitions {
			p := &f.partitions[i]
			f.Lead(p.ID, p.Members[round%3].Node)
		}
		from := f.routers[round]
		written := 0
		for _, share := range from.Spread(t.Context(), spread) {
			if share.Err != nil || share.Result.Refusal != command.Accepted {
				t.Fatalf("round %d: %+v", round, share)
			}
			written += len(share.At)
		}
		seen, whole, err := from.Together(t.Context(), gets)
		if err != nil || whole || len(seen) != 40 || written != 40 {
			t.Fatalf("round %d: wrote %d, read %d, of one partition %t, %v", round, written, len(seen), whole, err)
		}
		for i := range seen {
			if pk, _ := seen[i].Item.Get("pk"); string(pk.Str()) != fmt.Sprint("item ", i) {
				t.Errorf("round %d: item %d is %v", round, i, seen[i].Item)
			}
		}
	}
}

// A feed goes to the leaders of all the partitions that it concerns.
func TestFeedGoesToLeaders(t *testing.T) {
	f := newFleet(t, 10)
	feed := &command.Command{Action: command.Feed, Table: 100, SentMillis: f.NowMillis()}
	for i := range 30 {
		feed.Entries = append(feed.Entries, command.Entry{Key: key(i), Version: 1, Item: f.put(i).Item})
	}
	f.Lead(f.partitions[3].ID, f.partitions[3].Members[2].Node)
	if err := f.routers[4].Feed(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	page, err := f.routers[1].Scan(t.Context(), command.Plan{Table: 100, TableVersion: 1, Strong: true})
	if err != nil || len(page.Items) != 30 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
}

// A stream is read through any node, and leaders report what they hold.
func TestStreamsAndReports(t *testing.T) {
	f := newFleet(t, 3)
	for i := range 30 {
		if _, err := f.routers[0].Write(t.Context(), f.put(i)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range f.routers {
		list, err := f.routers[n].Shards(t.Context(), 100, 7)
		if err != nil || len(list.Shards) != 3 || !list.Complete {
			t.Fatalf("node %d lists %+v, %v", n+1, list, err)
		}
		changes := 0
		for _, shard := range list.Shards {
			place := command.ShardPlace{Table: 100, Stream: 7, Name: shard.Name}
			first, err := f.routers[n].ChangeSince(t.Context(), place, 0)
			if found, ok, failed := f.routers[n].Shard(t.Context(), place); failed != nil || !ok || found != shard || err != nil || first != 1 {
				t.Fatalf("shard %+v through node %d: %+v from %d, %v, %v", shard, n+1, found, first, err, failed)
			}
			page, err := f.routers[n].Changes(t.Context(), command.LogPlan{ShardPlace: place, First: 1, Limit: 100, Bytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			changes += len(page.Changes)
		}
		reports, err := f.routers[n].Reports(t.Context(), f.partitions)
		items := int64(0)
		for i := range reports {
			items += reports[i].Stats.Items
			if reports[i].Partition != f.partitions[i].ID || reports[i].Version != 1 || len(reports[i].Members) != 3 {
				t.Errorf("report %+v", reports[i])
			}
		}
		if err != nil || changes != 30 || items != 30 {
			t.Errorf("node %d: %d changes, %d items, %v", n+1, changes, items, err)
		}
	}
	if page, err := f.routers[4].Changes(t.Context(), command.LogPlan{ShardPlace: command.ShardPlace{Table: 100, Stream: 8}}); err != nil || !page.Trimmed {
		t.Errorf("a stream that is not there: %+v, %v", page, err)
	}
}

// An order is performed where the partition is led.
func TestOrder(t *testing.T) {
	f := newFleet(t, 2)
	for n := range f.routers {
		p := &f.partitions[n%2]
		to := p.Members[n%3].Node
		if _, err := f.routers[n].Order(t.Context(), p, command.Order{Transfer: to}); err != nil {
			t.Fatal(err)
		}
		if _, leads := f.Node(to).Led(p.ID); !leads {
			t.Errorf("node %d does not lead partition %d", to, p.ID)
		}
	}
}
