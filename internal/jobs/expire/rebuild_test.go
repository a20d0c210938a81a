package expire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// setTimeToLive is UpdateTimeToLive; the partitions have yet to adopt it.
func setTimeToLive(t *testing.T, n *nodetest.Node, attribute string) {
	t.Helper()
	_, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		next.TimeToLive = attribute
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func control(t *testing.T, n *nodetest.Node) {
	t.Helper()
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// far is a second that no test reaches.
const far = 4_000_000_000

// Turned on for a table with items, time to live ends them too.
func TestRebuild(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 2)
	for i := range 60 {
		second := uint64(far + i)
		if i%3 == 0 {
			second = now(n) + 1
		}
		n.Write(put(n, i, second))
	}
	setTimeToLive(t, n, "ends")
	n.Rest()
	if items := n.Check("things"); len(items) != 60 {
		t.Fatalf("%d items", len(items))
	}
	n.Clock.Advance(1_000_000_000)
	n.Rest()
	if items := n.Check("things"); len(items) != 40 {
		t.Errorf("%d items, want 40", len(items))
	}
}

// A crash in the middle does not begin anew.
func TestRebuildResumes(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things(), 1)
	for i := range 5000 {
		n.Write(put(n, i, far+uint64(i)))
	}
	setTimeToLive(t, n, "ends")
	control(t, n)
	id := n.Catalog().Partitions(made.ID)[0].ID
	j, _ := job(n, n)
	j.Schedule.Add(id, 0)
	if more := step(t, j); !more {
		t.Fatal("a step rebuilds it all")
	}
	before := n.Must(id).State().Expiry
	if before == nil || before.Items == 0 || before.Items >= 5000 {
		t.Fatalf("after a step the partition says %+v", before)
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	j, _ = job(n, n)
	j.Schedule.Add(id, 0)
	if step(t, j); n.Must(id).State().Expiry.Items <= before.Items {
		t.Errorf("after a crash the second step is at %+v, the first was at %+v", n.Must(id).State().Expiry, before)
	}
	n.Rest()
	n.Check("things")
}

// While indexes of expiry are built, items come, change and go, time to live is turned off and on by other attributes,
// partitions split and the machine crashes. They end as functions of the table.
func TestRebuildAmidUnrest(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { unrest(t, seed, 300, 60) })
	}
}

func unrest(t *testing.T, seed uint64, items, turns int) {
	random := rand.New(rand.NewPCG(seed, 2))
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things(), 2)
	for i := range items {
		n.Write(put(n, i, far+uint64(random.IntN(50))))
	}
	setTimeToLive(t, n, "ends")
	for range turns {
		switch random.IntN(12) {
		case 0:
			control(t, n)
		case 1:
			setTimeToLive(t, n, []string{"", "ends", "color"}[random.IntN(3)])
		case 2, 3:
			if err := n.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 4:
			if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil {
				t.Fatal(err)
			}
		case 5:
			files = files.CrashClone(vfs.CrashCloneCfg{})
			n = n.Crash(files)
		default:
			control(t, n)
			i := random.IntN(items + 20)
			switch random.IntN(4) {
			case 0:
				n.Write(n.Delete("things", fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i)))
			case 1:
				n.Write(put(n, i, 0))
			default:
				n.Write(put(n, i, far+uint64(random.IntN(50))))
			}
		}
	}
	n.Rest()
	n.Check("things")
	setTimeToLive(t, n, "ends")
	n.Rest()
	n.Check("things")
}

// A clock that is set forward in the middle of a step does not have the next one wait for as long.
func TestRebuildOutlivesAJumpOfTheClock(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things(), 1)
	for i := range 5000 { // more than a step reads
		n.Write(put(n, i, far+uint64(i)))
	}
	setTimeToLive(t, n, "ends")
	control(t, n)
	begin := n.Clock.Now()
	jumped := time.Duration(0)
	n.Turned = func() {
		if jumped == 0 {
			jumped = 11 * time.Minute
			n.Clock.Advance(jumped)
		}
	}
	if err := n.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.Turned = nil
	if took := n.Clock.Now().Sub(begin) - jumped; jumped == 0 || took > time.Minute {
		t.Errorf("besides a jump of %s the rebuild took %s", jumped, took)
	}
	n.Check("things")
}

// filledItems is the size of a table that is filled before time to live is turned on.
const filledItems = 20_000

// fillQuickly puts items into a table of one partition, many in a batch.
func fillQuickly(n *nodetest.Node, r *replica.Replica, items int) {
	for i := 0; i < items; {
		left := min(256, items-i)
		done := make(chan struct{})
		for range left {
			r.Write(put(n, i, far+uint64(i%1000)), func(command.Result, error) {
				if left--; left == 0 {
					close(done)
				}
			})
			i++
		}
		if err := n.Wait(context.Background(), done); err != nil {
			panic(err)
		}
	}
}

// A large table's index is built while clients write between any two turns, through a crash.
func TestRebuildOfALargeTable(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a large table")
	}
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	made := n.Create(nodetest.Things(), 1)
	id := n.Catalog().Partitions(made.ID)[0].ID
	fillQuickly(n, n.Must(id), filledItems)
	setTimeToLive(t, n, "ends")
	control(t, n)
	random := rand.New(rand.NewPCG(1, 3))
	writes, steps := 0, 0
	clients := func() {
		if r, ok := n.Replica(id); ok && random.IntN(2) == 0 {
			c := put(n, random.IntN(filledItems), far+uint64(random.IntN(1000)))
			if random.IntN(4) == 0 {
				c.Action, c.Item = command.Delete, nil
			}
			r.Write(c, func(_ command.Result, err error) {
				if err == nil {
					writes++
				}
			})
		}
	}
	rebuild := func(stepsMax int) {
		j, _ := job(n, n)
		j.Schedule.Add(id, 0)
		n.Turned = clients
		for more := true; more && stepsMax > 0; stepsMax-- {
			more = step(t, j)
			steps++
		}
		n.Turned = nil
	}
	rebuild(4)
	half := n.Must(id).State().Expiry
	if half == nil || half.Items < filledItems/5 || half.Items > filledItems*4/5 {
		t.Fatalf("in the middle the partition says %+v", half)
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	rebuild(filledItems)
	n.Rest()
	items := n.Check("things")
	t.Logf("%d items entered in %d steps, beside %d writes", len(items), steps, writes)
	if writes < 100 {
		t.Errorf("only %d writes came in between", writes)
	}
}
