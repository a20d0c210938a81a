package trim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/propagate"
	"stator/internal/jobs/trim"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// kept is how long a tombstone stays at least, trimEvery how often a node makes a step.
const (
	kept      = 10 * time.Minute
	trimEvery = 30 * time.Second
)

// tombstones counts the deleted entries in the index of the table.
func tombstones(t *testing.T, n *nodetest.Node) (count int) {
	t.Helper()
	entry := n.Entry("things")
	for _, p := range entry.Partitions[entry.Table.Global[0].ID] {
		page, err := n.Must(p.ID).ScanAndWait(t.Context(), n.Wait, &command.Plan{
			Table: entry.Table.Global[0].ID, TableVersion: entry.Table.Version, Lower: p.Bounds.Lower, Upper: p.Bounds.Upper, Raw: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if e.Item == nil {
				count++
			}
		}
	}
	return count
}

func step(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// lookAge is how long ago it was seen that a change is fed before a tombstone goes.
const lookAge = 2 * machine.FeedAgeMillisMax * time.Millisecond

// sweep makes steps until one of them knows of a look that is made now.
func sweep(t *testing.T, n *nodetest.Node) {
	t.Helper()
	for range 2 {
		step(t, n)
		n.Clock.Advance(lookAge)
	}
	step(t, n)
}

// bury makes items and deletes every other one, so that the index has as many tombstones.
func bury(t *testing.T, n *nodetest.Node, items int) {
	t.Helper()
	for i := range items {
		n.Write(n.Put("things", fmt.Sprint("collection ", i), "1", "color", fmt.Sprint(i)))
		if i%2 == 0 {
			n.Write(n.Delete("things", fmt.Sprint("collection ", i), "1"))
		}
	}
}

// A tombstone stays for its time and goes after it; entries stay.
func TestAge(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 2)
	bury(t, n, 20)
	n.Rest()
	if got := tombstones(t, n); got != 10 {
		t.Fatalf("%d tombstones, want 10", got)
	}
	for range int(kept / trimEvery) {
		n.Clock.Advance(trimEvery)
		step(t, n)
	}
	if got := tombstones(t, n); got != 10 {
		t.Errorf("%d of 10 tombstones before their time", got)
	}
	n.Clock.Advance(time.Second)
	sweep(t, n)
	if got := tombstones(t, n); got != 0 {
		t.Errorf("%d tombstones after their time", got)
	}
	if items := n.Check("things"); len(items) != 10 {
		t.Errorf("%d items", len(items))
	}
}

// A tombstone stays while an older change waits to be fed, which it has to keep out, whatever its age. Younger ones, of
// which a busy table always has some, do not keep it.
func TestWaitingChanges(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 4)
	n.Write(n.Put("things", "collection 3", "1", "color", "old"))
	n.Clock.Advance(time.Second)
	bury(t, n, 2)
	// Everybody's changes are fed but the oldest one's.
	entry := n.Entry("things")
	for _, p := range entry.Partitions[entry.Table.ID] {
		if !p.Bounds.Holds(nodetest.Suffix("collection 3", "1")) {
			feedOne(t, n, p.ID)
		}
	}
	if got := tombstones(t, n); got != 1 {
		t.Fatalf("%d tombstones, want 1", got)
	}
	n.Clock.Advance(2 * kept)
	sweep(t, n)
	if got := tombstones(t, n); got != 1 {
		t.Error("the tombstone went while an older change waited")
	}
	n.Rest()
	n.Write(n.Put("things", "collection 3", "1", "color", "new"))
	sweep(t, n)
	if got := tombstones(t, n); got != 0 {
		t.Error("the tombstone stays because of a younger change")
	}
	n.Rest()
	n.Check("things")
}

// feedOne feeds one partition's changes to their end.
func feedOne(t *testing.T, n *nodetest.Node, partition uint64) {
	t.Helper()
	job := propagate.Job{Router: n.Router(), Wait: n.Wait, NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }}
	for more := true; more; {
		var err error
		if more, err = job.Step(t.Context(), n.Must(partition)); err != nil {
			t.Fatal(err)
		}
	}
}

// While a split is reserved there may be a partition that nobody has asked.
func TestReservedSplit(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 1)
	bury(t, n, 4)
	n.Rest()
	n.Clock.Advance(2 * kept)
	reserve := func(splits []catalog.Reservation) {
		_, err := n.Catalog().UpdateEntry(t.Context(), "things", func(now *catalog.Entry) (*catalog.Entry, error) {
			next := *now
			next.Splits = splits
			return &next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	reserve([]catalog.Reservation{{Child: 7777}})
	sweep(t, n)
	if got := tombstones(t, n); got != 2 {
		t.Errorf("%d of 2 tombstones beside a split", got)
	}
	reserve(nil)
	sweep(t, n)
	if got := tombstones(t, n); got != 0 {
		t.Errorf("%d tombstones", got)
	}
}

// An index larger than a step is walked in several, each going on where the last one ended.
func TestSteps(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 1)
	bury(t, n, 30)
	large := strings.Repeat("x", 390_000)
	for i := range 24 {
		n.Write(n.Put("things", fmt.Sprint("large ", i), "1", "color", fmt.Sprint("large ", i), "filler", large))
	}
	n.Rest()
	n.Clock.Advance(2 * kept)
	step(t, n)
	n.Clock.Advance(lookAge)
	step(t, n)
	if got := tombstones(t, n); got == 0 || got == 15 {
		t.Errorf("%d of 15 tombstones after the first step", got)
	}
	for range 3 {
		step(t, n)
	}
	if got := tombstones(t, n); got != 0 {
		t.Errorf("%d tombstones after the last step", got)
	}
}

// A clock that has just begun makes nothing old.
func TestClockAtItsEpoch(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color"), 1)
	bury(t, n, 4)
	n.Rest()
	job := trim.Job{Catalog: n.Catalog(), Host: n, Wait: n.Wait, NowMillis: func() int64 { return 5 }}
	if err := job.Step(t.Context()); err != nil || tombstones(t, n) != 2 {
		t.Errorf("%d of 2 tombstones, %v", tombstones(t, n), err)
	}
}

// A change that waited long to be fed may have been sent twice, the first time for nothing as it seemed. When the tombstone that keeps it
// out comes to the index, it is old already, and stays until nothing that was sent before can arrive any more.
func TestLateFeed(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(nodetest.Things("color"), 1)
	bury(t, n, 1)
	n.Clock.Advance(2 * kept)
	base := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	changes, err := base.Changes(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	ix := &made.Global[0]
	late := &command.Command{
		Action: command.Feed, Table: ix.ID, Consumer: command.IndexConsumer, SentMillis: n.Clock.Now().UnixMilli(),
		Entries: machine.IndexEntries(made, ix, &changes[0]),
	}
	step(t, n)
	n.Rest()
	step(t, n)
	n.Clock.Advance(machine.FeedAgeMillisMax*time.Millisecond - time.Second)
	step(t, n)
	if err := n.Router().Feed(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	n.Check("things")
	sweep(t, n)
	if got := tombstones(t, n); got != 0 {
		t.Errorf("%d tombstones when nothing can come any more", got)
	}
}
