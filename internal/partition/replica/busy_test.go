package replica_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// What is brought to an index passes while its partition has anything left, whatever it costs then; what a new index is filled with passes
// always. Entries that come again, after an answer that was lost, cost nothing.
func TestFeedsKeepToBounds(t *testing.T) {
	w, now := newBounded(t)
	feed := func(consumer string, version uint64) error {
		item := w.put(t, "a/1 n="+strings.Repeat("1", 400_000)).Item
		var err error
		w.replica.Write(&command.Command{Action: command.Feed, Table: 100, Consumer: consumer, SentMillis: w.millis, Entries: []command.Entry{
			{Key: key("a/1"), Version: version, Item: item}, {Key: key("b/1"), Version: version},
		}}, func(r command.Result, failed error) {
			if err = failed; r.Refusal != command.Accepted {
				t.Errorf("refused: %d", r.Refusal)
			}
		})
		w.done()
		return err
	}
	for _, version := range []uint64{1, 1, 1, 1, 2, 2, 1, 3} {
		if err := feed(command.IndexConsumer, version); err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
	}
	if _, beyond := errors.AsType[*command.BeyondBound](feed(command.IndexConsumer, 4)); !beyond {
		t.Error("after 1,176 units of 1,000 there is room")
	}
	if err := feed("", 4); err != nil {
		t.Errorf("what fills an index: %v", err)
	}
	*now += time.Second
	if err := feed(command.IndexConsumer, 5); err != nil {
		t.Errorf("after a second: %v", err)
	}
	if got := w.replica.Turn().Consumed[capacity.Writes]; math.Abs(got-4*392) > 0.01 {
		t.Errorf("%v units, want four times 391 and 1", got)
	}
}

// A copy that only reports lets all entries through, and counts each that it had no room for as a request.
func TestFeedsAreReported(t *testing.T) {
	w := newWorld(t)
	reporting := replica.New(replica.Options{Partition: 10, Engine: w.engine, Log: w.log, Wake: func() {}, Steady: func() time.Duration { return 0 }})
	reporting.Lead(machine.SoloEpoch, w.part)
	spent := func(c *command.Command) {
		reporting.Write(c, func(_ command.Result, err error) { t.Errorf("answered: %v", err) })
	}
	for range 1000 {
		spent(w.command(t, []string{"put", "a/1"}))
	}
	spent(&command.Command{Action: command.Feed, Table: 100, Consumer: command.IndexConsumer, Entries: make([]command.Entry, 3)})
	if got := reporting.Turn().Refused[capacity.Writes][capacity.KeyRangeThroughput]; got != 3 {
		t.Errorf("%d requests beyond the bound, want 3", got)
	}
}

// A part of an index that cannot take more keeps the table from what would bring it something, until it can, or nobody has said so for a while.
func TestBusyIndex(t *testing.T) {
	w, now := newBounded(t)
	puts := 0
	put := func(color string) (refusedBy string) {
		puts++
		r := w.ask(t, w.command(t, []string{"put", "a/1", "color=" + color, "n=" + strings.Repeat("1", puts)}))
		if (r.Refusal == command.Throttled) != (r.Text != "") {
			t.Errorf("%s: %+v", color, r)
		}
		return r.Text
	}
	red := command.Bounds{Lower: suffixOf("red"), Upper: append(suffixOf("red"), 0xff)}
	w.replica.Busy(200, []command.Bounds{red})
	if by := put("red"); by != "global" {
		t.Errorf("red is refused by %q", by)
	}
	if by := put("blue"); by != "" {
		t.Errorf("blue is refused by %q", by)
	}
	w.replica.Busy(200, nil)
	if by := put("red"); by != "" {
		t.Errorf("with room for red it is refused by %q", by)
	}
	w.replica.Busy(200, []command.Bounds{red})
	if by := put("blue"); by != "global" {
		t.Errorf("what is red cannot become blue: refused by %q", by)
	}
	*now += 2 * time.Second
	if by := put("blue"); by != "" {
		t.Errorf("after a while without a word: refused by %q", by)
	}
}
