package expire_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"stator/internal/jobs/expire"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// ending is nodetest's table with items that end at the second of their attribute "ends".
func ending(indexed ...string) *table.Table {
	t := nodetest.Things(indexed...)
	t.TimeToLive = "ends"
	return t
}

// put is a wish for an item that ends at a second, 0 for none that ends.
func put(n *nodetest.Node, i int, second uint64) *command.Command {
	c := n.Put("things", fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i), "color", fmt.Sprint("value ", i%5))
	if second > 0 {
		c.Item = c.Item.With("ends", attr.Int(int64(second)))
	}
	return c
}

func now(n *nodetest.Node) uint64 { return uint64(n.Clock.Now().Unix()) }

// at sets the clock.
func at(n *nodetest.Node, moment time.Time) { n.Clock.Advance(moment.Sub(n.Clock.Now())) }

// job is the node's own job, made once more, so that its steps can be looked at.
func job(n *nodetest.Node, host expire.Host) (*expire.Job, *int) {
	deleted := 0
	return &expire.Job{
		Host: host, Schedule: expire.NewSchedule(), Wait: n.Wait,
		NowMillis: func() int64 { return n.Clock.Now().UnixMilli() },
		Deleted:   func(_ uint64, items int) { deleted += items },
	}, &deleted
}

func addAll(n *nodetest.Node, j *expire.Job, tableID uint64) {
	for _, p := range n.Catalog().Partitions(tableID) {
		j.Schedule.Add(p.ID, 0)
	}
}

func step(t *testing.T, j *expire.Job) (more bool) {
	t.Helper()
	more, err := j.Step(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return more
}

// Items go at their second, not before, from the indexes too, and the change log says why.
func TestGoesAtItsSecond(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(ending("color"), 3)
	begin := now(n)
	for i := range 30 {
		n.Write(put(n, i, begin+10+uint64(i%3)*10))
	}
	n.Write(put(n, 30, 0))
	for i, left := range []int{31, 21, 11, 1} {
		at(n, time.Unix(int64(begin+10*uint64(i)), 0).Add(-time.Millisecond))
		n.Rest()
		if i > 0 && len(n.Check("things")) != left+10 {
			t.Errorf("a second before the end of the next ones there are %d items, want %d", len(n.Check("things")), left+10)
		}
		at(n, time.Unix(int64(begin+10*uint64(i)), 0))
		n.Rest()
		items := n.Check("things")
		if shown := n.Items(n.Entry("things").Table.Global[0].ID, made.Version); len(items) != left || len(shown) != left {
			t.Errorf("at second %d there are %d items, the index shows %d, want %d", 10*i, len(items), len(shown), left)
		}
	}
}

// A deletion says in the change log that nobody asked for it.
func TestSaysWhy(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(ending("color"), 1)
	n.Write(put(n, 1, now(n)))
	r := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
	if err := n.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, err := r.Changes(0, 1<<20)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	if born, gone := changes[0], changes[1]; born.Kind != command.ByUser || gone.Kind != command.ByExpiry || len(gone.After) > 0 {
		t.Errorf("the put is of kind %d, the deletion of kind %d", born.Kind, gone.Kind)
	}
}

// counting is a host that counts the looks at its partitions.
type counting struct {
	*nodetest.Node
	looks int
}

func (c *counting) Led(partition uint64) (*replica.Replica, bool) {
	c.looks++
	return c.Node.Led(partition)
}

// A partition is looked at when its moment comes. Until then it costs nothing, however many there are.
func TestIdlePartitionsAreLeftAlone(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(ending(), 200)
	n.Rest()
	for i := range 20 {
		n.Write(put(n, i, now(n)+100))
	}
	host := &counting{Node: n}
	j, deleted := job(n, host)
	addAll(n, j, made.ID)
	if more := step(t, j); more || host.looks != 200 {
		t.Errorf("the first step looks at %d partitions, more %t", host.looks, more)
	}
	host.looks = 0
	for range 99 {
		n.Clock.Advance(time.Second)
		if step(t, j); host.looks > 0 {
			t.Fatalf("%d partitions were looked at before anything was due", host.looks)
		}
	}
	n.Clock.Advance(time.Second)
	if step(t, j); *deleted != 20 || host.looks > 20 || host.looks == 0 {
		t.Errorf("%d items went, with %d looks", *deleted, host.looks)
	}
	host.looks = 0
	n.Clock.Advance(time.Hour)
	if step(t, j); host.looks > 0 {
		t.Errorf("%d partitions without entries were looked at", host.looks)
	}
}

// A step deletes so much and no more, and the next goes on where it ended.
func TestStepsAreBounded(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(ending(), 2)
	n.Rest()
	n.Turned = nil
	for i := range 600 {
		n.Write(put(n, i, now(n)+1))
	}
	n.Clock.Advance(time.Second)
	j, deleted := job(n, n)
	addAll(n, j, made.ID)
	for i, want := range []int{256, 512, 600} {
		if more := step(t, j); *deleted != want || more != (i < 2) {
			t.Errorf("after step %d %d items are gone, more %t", i+1, *deleted, more)
		}
	}
}

// A leader whose clock is behind keeps the item; the job comes back for it.
func TestComesBackForWhatIsRefused(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(ending(), 1)
	n.Rest()
	n.Write(put(n, 1, now(n)+2))
	n.Write(put(n, 2, now(n)+1))
	j, deleted := job(n, n)
	ahead := time.Second
	j.NowMillis = func() int64 { return n.Clock.Now().Add(ahead).UnixMilli() }
	addAll(n, j, made.ID)
	if more := step(t, j); more || *deleted != 0 {
		t.Errorf("%d items went before their time, more %t", *deleted, more)
	}
	n.Clock.Advance(time.Second)
	if step(t, j); *deleted != 1 {
		t.Errorf("%d items went in the second second", *deleted)
	}
	n.Clock.Advance(time.Second)
	if step(t, j); *deleted != 2 {
		t.Errorf("%d items went in the third second", *deleted)
	}
}

// An item that ends a second ago while others wait for later is found, and one that was left for five years is not.
func TestThePast(t *testing.T) {
	n := nodetest.Open(t, nil)
	at(n, time.Unix(1_800_000_000, 0))
	n.Create(ending(), 1)
	n.Write(put(n, 1, now(n)+1000))
	n.Rest()
	n.Write(put(n, 2, now(n)-1000))
	n.Write(put(n, 3, now(n)-5*31_557_600+100))
	n.Write(put(n, 4, now(n)-5*31_557_600-1))
	n.Write(put(n, 5, 7))
	n.Rest()
	if items := n.Check("things"); len(items) != 3 {
		t.Errorf("%d items are left, want the one of the future and two of long ago", len(items))
	}
}

// A table that goes, or that lost its time to live, is asked nothing.
func TestNothingToDo(t *testing.T) {
	for name, change := range map[string]func(*table.Table){
		"off":      func(now *table.Table) { now.TimeToLive = "" },
		"deleting": func(now *table.Table) { now.State = table.Deleting },
	} {
		t.Run(name, func(t *testing.T) {
			n := nodetest.Open(t, nil)
			made := n.Create(ending(), 1)
			n.Write(put(n, 1, now(n)+1))
			r := n.Must(n.Catalog().Partitions(made.ID)[0].ID)
			if _, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
				next := now.Clone()
				change(next)
				return next, nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := replica.ChangeAndWait(context.Background(), n.Wait, func(done func(error)) {
				r.Adopt(n.Entry("things").Table, done)
			}); err != nil {
				t.Fatal(err)
			}
			n.Clock.Advance(time.Minute)
			j, deleted := job(n, n)
			addAll(n, j, made.ID)
			if more := step(t, j); more || *deleted > 0 {
				t.Errorf("%d items went, more %t", *deleted, more)
			}
			n.Rest()
		})
	}
}
