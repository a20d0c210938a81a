package split_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/split"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

const itemsHeld = 60

// held is a node with a table of items and an index, in so many partitions.
func held(t *testing.T, files engine.FS, partitions int) (*nodetest.Node, *table.Table) {
	t.Helper()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things("color"), partitions)
	n.FillTable("things", itemsHeld, "color")
	n.Rest()
	return n, made
}

// checkSplits holds a table to what a split must leave: all items, whole halves, and no reservation.
func checkSplits(t *testing.T, n *nodetest.Node, partitions int) {
	t.Helper()
	entry := n.Entry("things")
	if items := n.Check("things"); len(items) != itemsHeld {
		t.Errorf("%d items", len(items))
	}
	if len(entry.Splits) != 0 || len(entry.Partitions[entry.Table.ID]) != partitions {
		t.Errorf("%d partitions, want %d, reserved %+v", len(entry.Partitions[entry.Table.ID]), partitions, entry.Splits)
	}
	for _, p := range entry.Partitions[entry.Table.ID] {
		if state := n.Must(p.ID).State(); p.Generation > state.Descriptor.Generation {
			t.Errorf("partition %d has generation %d, the catalog says %d", p.ID, state.Descriptor.Generation, p.Generation)
		}
	}
}

// trueStatistics holds each partition of a table to what it holds alone: the sum over halves says nothing of them.
func trueStatistics(t *testing.T, n *nodetest.Node, id uint64) {
	t.Helper()
	version := n.Entry("things").Table.Version
	all := n.Items(id, version)
	for _, p := range n.Catalog().Partitions(id) {
		count := int64(0)
		for key := range all {
			if p.Bounds.Holds([]byte(key)) {
				count++
			}
		}
		if got := n.Must(p.ID).State().Applied.Stats.Items; got != count {
			t.Errorf("partition %d says %d items, it has %d", p.ID, got, count)
		}
	}
}

// A partition is split at a key, within a collection, in its middle, again and again, and a hidden table likewise.
func TestSplits(t *testing.T) {
	n, made := held(t, nil, 1)
	for i, at := range [][]byte{nodetest.Suffix("collection 3", "item 3"), nodetest.Suffix("collection 5", "item 4")[:keys.TokenBytes], nil, nil, nil} {
		child, err := n.Split(t.Context(), "things", made.ID, at)
		if err != nil {
			t.Fatal(err)
		}
		if at != nil && string(n.Must(child).State().Descriptor.Bounds.Lower) != string(at) {
			t.Errorf("the child begins at %x, want %x", n.Must(child).State().Descriptor.Bounds.Lower, at)
		}
		checkSplits(t, n, i+2)
		trueStatistics(t, n, made.ID)
	}
	hidden := made.Global[0].ID
	for range 2 {
		if _, err := n.Split(t.Context(), "things", hidden, nil); err != nil {
			t.Fatal(err)
		}
	}
	trueStatistics(t, n, hidden)
	for i := range itemsHeld {
		n.Write(n.Put("things", fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i), "color", "red"))
	}
	n.Rest()
	checkSplits(t, n, 6)
	trueStatistics(t, n, made.ID)
}

// Whoever gives up on a split, at whatever step, leaves no reservation behind: nothing but a restart would end it, and the table could
// neither change nor go before that.
func TestGivenUpAtEveryStep(t *testing.T) {
	for at, done := 0, false; !done; at++ {
		n, made := held(t, nil, 1)
		ctx, giveUp := context.WithCancel(t.Context())
		turns := 0
		n.Turned = func() {
			if turns++; turns == at+1 {
				giveUp()
			}
		}
		_, err := n.Split(ctx, "things", made.ID, nil)
		n.Turned, done = nil, ctx.Err() == nil
		giveUp()
		n.Rest()
		partitions := len(n.Catalog().Partitions(made.ID))
		checkSplits(t, n, partitions)
		if err == nil && partitions != 2 {
			t.Errorf("given up after %d turns: %d partitions", at, partitions)
		}
	}
}

// A crash at any step of a split leaves it undone or done, and the next start carries on from there.
func TestCrashAtEveryStep(t *testing.T) {
	outcomes := map[int]int{}
	for at := 0; ; at++ {
		files := vfs.NewCrashableMem()
		n, made := held(t, files, 1)
		var left *vfs.MemFS
		turns := 0
		n.Turned = func() {
			if turns++; turns == at+1 {
				left = files.CrashClone(vfs.CrashCloneCfg{})
			}
		}
		if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil {
			t.Fatal(err)
		}
		if n.Turned = nil; left == nil {
			break
		}
		n = n.Crash(left)
		trueStatistics(t, n, made.ID)
		partitions := len(n.Catalog().Partitions(made.ID))
		outcomes[partitions]++
		checkSplits(t, n, partitions)
		n.Rest()
		if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil {
			t.Errorf("step %d: another split after the crash: %v", at, err)
		}
		checkSplits(t, n, partitions+1)
	}
	if outcomes[1] == 0 || outcomes[2] == 0 || outcomes[1]+outcomes[2] < 10 {
		t.Errorf("crashes left so many of each: %v", outcomes)
	}
}

// A split that was reserved and not performed is refused for ever before it is cancelled: its command may still be on its way.
func TestReservedOnly(t *testing.T) {
	files := vfs.NewCrashableMem()
	n, made := held(t, files, 1)
	parent := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	wish := &command.Command{At: nodetest.Suffix("collection 3", "item 3"), Child: 5000, Generation: parent.State().Descriptor.Generation}
	_, err := n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
		next := *now
		next.Splits = []catalog.Reservation{{Table: made.ID, Parent: parent.State().Descriptor.Partition, Generation: wish.Generation, At: wish.At, Child: wish.Child}}
		return &next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Split(t.Context(), "things", made.ID, nil); err == nil {
		t.Error("a partition was split while another split of it is reserved")
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	checkSplits(t, n, 1)
	parent = n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	var stale *command.StaleRoute
	err = replica.ChangeAndWait(t.Context(), n.Wait, func(done func(error)) { parent.Split(wish, done) })
	if !errors.As(err, &stale) {
		t.Errorf("the late split gives %v", err)
	}
}

// Whoever asked for a split may give up: what is reserved is carried through, or nobody would find the right half.
func TestGivingUp(t *testing.T) {
	n, made := held(t, nil, 1)
	ctx, cancel := context.WithCancel(t.Context())
	n.Turned = func() {
		if len(n.Entry("things").Splits) > 0 {
			cancel()
		}
	}
	if _, err := n.Split(ctx, "things", made.ID, nodetest.Suffix("collection 3", "item 3")); err != nil {
		t.Error(err)
	}
	if n.Turned = nil; ctx.Err() == nil {
		t.Error("nobody gave up")
	}
	checkSplits(t, n, 2)
}

// There is nothing to split where there are no two halves, and nothing goes that is about to go anyway.
func TestNothingToSplit(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(nodetest.Things(), 1)
	if _, err := n.Split(t.Context(), "things", made.ID, nil); !errors.Is(err, split.ErrNothing) {
		t.Errorf("an empty table: %v", err)
	}
	n.Write(n.Put("things", "a", "1"))
	if _, err := n.Split(t.Context(), "things", made.ID, nil); !errors.Is(err, split.ErrNothing) {
		t.Errorf("one item: %v", err)
	}
	at := nodetest.Suffix("a", "1")
	if _, err := n.Split(t.Context(), "things", made.ID, at); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Split(t.Context(), "things", made.ID, at); !errors.Is(err, split.ErrNothing) {
		t.Errorf("at a bound: %v", err)
	}
	if _, err := n.Split(t.Context(), "nothing", made.ID, at); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("no table: %v", err)
	}
	_, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		next.State = table.Deleting
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Split(t.Context(), "things", made.ID, nodetest.Suffix("a", "0")); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("a table that is being deleted: %v", err)
	}
	n.Rest()
	if names := n.Catalog().Names(); len(names) != 0 {
		t.Errorf("tables %v", names)
	}
}

// The entries of local indexes lie by collection, so a table that has them is cut between collections, whatever is asked.
func TestLocalIndexes(t *testing.T) {
	n := nodetest.Open(t, nil)
	wish := nodetest.Things()
	wish.Local = []table.Index{{ID: 1, Name: "local", Status: table.IndexActive, Projection: table.Projection{Kind: table.All},
		Key: table.Key{Hash: wish.Key.Hash, Range: []table.KeyAttribute{{Name: "color", Type: attr.S}}}}}
	made := n.Create(wish, 1)
	n.FillTable("things", itemsHeld, "color")
	local := n.Must(n.Catalog().Partitions(made.ID)[0].ID).State().Applied.Stats.Local[1]
	for _, at := range [][]byte{nodetest.Suffix("collection 3", "item 30"), nil} {
		if _, err := n.Split(t.Context(), "things", made.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	sum := command.Tally{}
	for _, p := range n.Catalog().Partitions(made.ID)[1:] {
		if len(p.Bounds.Lower) != keys.TokenBytes {
			t.Errorf("cut at %x, within a collection", p.Bounds.Lower)
		}
	}
	for _, p := range n.Catalog().Partitions(made.ID) {
		tally := n.Must(p.ID).State().Applied.Stats.Local[1]
		sum.Items += tally.Items
		sum.Bytes += tally.Bytes
		page, err := n.Must(p.ID).ScanAndWait(t.Context(), n.Wait, &command.Plan{
			Table: made.ID, TableVersion: made.Version, Index: 1, Lower: p.Bounds.Lower, Upper: p.Bounds.Upper, Fetch: true})
		if err != nil || int64(len(page.Items)) != tally.Items {
			t.Errorf("partition %d shows %d entries and says %d, %v", p.ID, len(page.Items), tally.Items, err)
		}
	}
	if sum != local {
		t.Errorf("the halves have %+v, it was %+v", sum, local)
	}
	trueStatistics(t, n, made.ID)
	one := nodetest.Things()
	one.Name, one.Local = "one", wish.Local
	single := n.Create(one, 1)
	n.Write(n.Put("one", "a", "1", "color", "red"))
	n.Write(n.Put("one", "a", "2", "color", "red"))
	if _, err := n.Split(t.Context(), "one", single.ID, nil); !errors.Is(err, split.ErrNothing) {
		t.Errorf("a single collection: %v", err)
	}
}

// The shards of the halves say where each reader goes on: the parent's ends, and both new ones begin after it.
func TestShards(t *testing.T) {
	n, made := held(t, nil, 1)
	before := n.Must(n.Catalog().Partitions(made.ID)[0].ID).State()
	child, err := n.Split(t.Context(), "things", made.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	parent, right := n.Must(before.Descriptor.Partition).State(), n.Must(child).State()
	s := before.Applied.Sequence
	closed, open := parent.Shards[0], parent.Shards[1]
	name := command.ShardName{Partition: before.Descriptor.Partition, Generation: closed.Generation}
	if closed.Last != s || open.First != s+1 || !slices.Equal(open.Parents, []command.ShardName{name}) {
		t.Errorf("parent's shards %+v after sequence %d", parent.Shards, s)
	}
	if right.Shards[0].First != s+1 || !slices.Equal(right.Shards[0].Parents, []command.ShardName{name}) ||
		right.Descriptor.Parent != before.Descriptor.Partition || right.Descriptor.ParentSequence != s {
		t.Errorf("child %+v with shards %+v after sequence %d", right.Descriptor, right.Shards, s)
	}
}

// An adopt that comes between the look at a partition and its split does not keep it from being split.
func TestAdoptInBetween(t *testing.T) {
	n, made := held(t, nil, 1)
	parent := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	next := made.Clone()
	next.Version++
	came := false
	n.Turned = func() {
		if !came {
			came = true
			parent.Adopt(next, func(error) {})
		}
	}
	if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil || !came {
		t.Errorf("the adopt came %t, %v", came, err)
	}
	n.Turned = nil
	if got := len(n.Catalog().Partitions(made.ID)); got != 2 || len(n.Entry("things").Splits) != 0 {
		t.Errorf("%d partitions, reserved %+v", got, n.Entry("things").Splits)
	}
}
