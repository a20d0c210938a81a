package replica_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// queueMax and batchMax are the bounds as a caller meets them.
const (
	queueMax = 4096
	batchMax = 256
)

func (w *world) put(t *testing.T, text string) *command.Command {
	return w.command(t, []string{"put", text})
}

// One command more than the queue takes is refused as throttled, and one batch holds so many commands.
func TestQueueIsBounded(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	throttled, answered := 0, 0
	for i := range queueMax + 10 {
		w.replica.Write(w.put(t, fmt.Sprintf("a/%d", i)), func(r command.Result, err error) {
			answered++
			if err != nil {
				t.Error(err)
			}
			if r.Refusal == command.Throttled {
				throttled++
			}
		})
	}
	if throttled != 10 || answered != 10 {
		t.Fatalf("%d of %d answers are throttled, want all 10", throttled, answered)
	}
	for n := 1; answered < queueMax+10; n++ {
		w.step()
		h := w.log.find(n)
		if h.batch.Changes > batchMax {
			t.Fatalf("batch %d has %d changes", n, h.batch.Changes)
		}
		w.log.perform(h, nothing)
	}
	if got := w.replica.State().Applied.Stats.Items; got != queueMax {
		t.Errorf("%d items, want %d", got, queueMax)
	}
}

// Of commands that come together the queue takes as many as it has room for.
func TestQueueTakesAFewOfMany(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	var commands []*command.Command
	for i := range queueMax + 10 {
		commands = append(commands, w.put(t, fmt.Sprintf("a/%d", i)))
	}
	throttled := 0
	w.replica.WriteAll(commands, func(i int, r command.Result, err error) {
		if i < queueMax || r.Refusal != command.Throttled || err != nil {
			t.Errorf("command %d: %+v, %v", i, r, err)
		}
		throttled++
	})
	if throttled != 10 {
		t.Errorf("%d commands were throttled, want 10", throttled)
	}
}

// Large commands end a batch early, and a single one may be larger than a batch.
func TestBatchBytesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	large := attr.String(string(make([]byte, 400_000)))
	for i := range 5 {
		c := w.put(t, fmt.Sprintf("a/%d", i))
		c.Item = c.Item.With("large", large)
		w.replica.Write(c, func(command.Result, error) {})
	}
	w.step()
	if got := w.log.find(1).batch.Changes; got != 3 {
		t.Errorf("the first batch has %d items of 400 KB, want 3", got)
	}
	w.log.perform(w.log.find(1), nothing)
	w.log.perform(w.log.find(2), nothing)
}

// manyWrites is enough to write a batch's worth several times, where each has an item of 390 KB and a change with two of them.
const manyWrites = 20

// writeMany has that many items written, each by a command that is changed before.
func (w *world) writeMany(t *testing.T, change func(c *command.Command), done func(i int, r command.Result, err error)) {
	for i := range manyWrites {
		c := w.put(t, fmt.Sprintf("a/%d", i))
		change(c)
		w.replica.Write(c, func(r command.Result, err error) { done(i, r, err) })
	}
}

// newWorldOfLarge has a leader, that many large items, and a change to commands on them that brings next to nothing.
func newWorldOfLarge(t *testing.T) (w *world, paint func(c *command.Command)) {
	w = newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	large, written := attr.String(string(make([]byte, 390_000))), 0
	w.writeMany(t, func(c *command.Command) { c.Item = c.Item.With("large", large) }, func(int, command.Result, error) { written++ })
	w.performAll(func() bool { return written == manyWrites })
	update, err := expr.ParseUpdate("SET color = :v", expr.NewNames(nil, attr.NewMap([]attr.Entry{{Name: ":v", Value: attr.String("red")}})))
	if err != nil {
		t.Fatal(err)
	}
	return w, func(c *command.Command) { c.Action, c.Update = command.Update, update }
}

func (w *world) performAll(done func() bool) {
	for !done() {
		w.step()
		for _, h := range w.log.held {
			if !h.ended {
				w.log.perform(h, nothing)
			}
		}
	}
}

// A batch ends with the command that makes it large, however little the commands bring. What is left is decided behind it, in
// its order.
func TestWrittenBytesAreBounded(t *testing.T) {
	w, paint := newWorldOfLarge(t)
	before := len(w.log.held)
	var answered []int
	w.writeMany(t, paint, func(i int, r command.Result, err error) {
		if err != nil || r.Refusal != command.Accepted {
			t.Errorf("command %d: %+v, %v", i, r, err)
		}
		answered = append(answered, i)
	})
	w.performAll(func() bool { return len(answered) == manyWrites })
	if !slices.IsSorted(answered) {
		t.Errorf("the commands were answered in the order %v", answered)
	}
	for _, h := range w.log.held[before:] {
		if bytes := machine.BatchBytes(&h.batch); bytes > machine.BatchBytesMax+(2<<20) {
			t.Errorf("a batch of %d changes has %d bytes", h.batch.Changes, bytes)
		}
	}
}

// What is left of a pass is sent away as what waits is, where its copy ceased to lead meanwhile.
func TestLeftOfAPassIsSentAway(t *testing.T) {
	w, paint := newWorldOfLarge(t)
	elsewhere, rejected := 0, 0
	w.writeMany(t, paint, func(_ int, _ command.Result, err error) {
		if _, ok := errors.AsType[*command.NotLeader](err); ok {
			elsewhere++
		}
		if _, ok := errors.AsType[*command.Rejected](err); ok {
			rejected++
		}
	})
	w.meanwhile = func() { w.replica.Follow(7) }
	w.step()
	if elsewhere == 0 || rejected == 0 || elsewhere+rejected != manyWrites {
		t.Errorf("%d were sent elsewhere and %d rejected, of %d", elsewhere, rejected, manyWrites)
	}
}

// Too many changes of the partition at once are rejected, as they certainly did not happen.
func TestChangesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	rejected := 0
	for range queueMax + 3 {
		w.replica.Adopt(things(1), func(err error) {
			var r *command.Rejected
			if errors.As(err, &r) {
				rejected++
			}
		})
	}
	if rejected != 3 {
		t.Errorf("%d changes were rejected, want 3", rejected)
	}
	w.step()
}

// A caller that gives up a write or a change does not know what became of it; one that gives up a read is told so.
func TestGivingUp(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	ctx, cancel := context.WithCancel(t.Context())
	giveUp := func(ctx context.Context, done <-chan struct{}) error {
		w.step()
		cancel()
		return replica.WaitOnChannel(ctx, done)
	}
	var ambiguous *command.Ambiguous
	if _, err := w.replica.WriteAndWait(ctx, giveUp, w.put(t, "a/1")); !errors.As(err, &ambiguous) {
		t.Errorf("a write that was given up: %v", err)
	}
	if _, err := w.replica.ReadAndWait(ctx, giveUp, &command.Get{Table: 100, TableVersion: 1, Key: key("a/1")}); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that was given up: %v", err)
	}
	plan := &command.Plan{Table: 100, TableVersion: 1}
	if _, err := w.replica.ScanAndWait(ctx, giveUp, plan); !errors.Is(err, context.Canceled) {
		t.Errorf("a scan that was given up: %v", err)
	}
	adopt := func(done func(error)) { w.replica.Adopt(things(2), done) }
	if err := replica.ChangeAndWait(ctx, giveUp, adopt); !errors.As(err, &ambiguous) {
		t.Errorf("a change that was given up: %v", err)
	}
	w.log.perform(w.log.find(1), nothing)
	w.step()
	w.log.perform(w.log.find(2), nothing)
	if got := w.replica.State().Table.Version; got != 2 {
		t.Errorf("the change that was given up was not performed: version %d", got)
	}
}

// A request with another table, an older or a newer version, or a key outside the bounds is refused with what there is.
func TestRequestsThatDoNotBelong(t *testing.T) {
	w := newWorld(t)
	w.part.Descriptor.Bounds.Lower = []byte{0x80}
	w.part.Table = things(5)
	w.replica.Lead(machine.SoloEpoch, w.part)
	inside, outside := []byte{0x90}, []byte{0x70}
	for _, c := range []struct {
		name           string
		table, version uint64
		key            []byte
		want           string
	}{
		{"here", 100, 5, inside, "none"},
		{"another table", 101, 5, inside, "stale route"},
		{"older", 100, 4, inside, "stale table, have 5"},
		{"newer", 100, 6, inside, "stale table, have 5"},
		{"outside", 100, 5, outside, "stale route"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.replica.Read(&command.Get{Table: c.table, TableVersion: c.version, Key: c.key}, func(r command.GetResult, err error) {
				if got := outcome(show(r.Item), err); got != c.want {
					t.Errorf("read: %s, want %s", got, c.want)
				}
			})
		})
	}
	w.part.Table = (*table.Table)(nil)
	w.replica.Lead(machine.SoloEpoch, w.part)
	w.replica.Read(&command.Get{Table: 100, TableVersion: 1, Key: inside}, func(r command.GetResult, err error) {
		if got := outcome(show(r.Item), err); got != "stale table, have 0" {
			t.Errorf("before the first adopt: %s", got)
		}
	})
}
