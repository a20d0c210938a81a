package replica_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// newBounded is a world whose copy is kept to its bounds, and leads, by a clock that the test sets.
func newBounded(t *testing.T) (w *world, now *time.Duration) {
	w, now = newWorld(t), new(time.Duration)
	w.steady = func() time.Duration { return *now }
	newCopy(w)
	w.replica.Lead(machine.SoloEpoch, w.part)
	return w, now
}

// A copy that is kept to its bounds takes a second's writes and reads, and then as many as the time brings that passes. What a job reads
// is not counted.
func TestBounds(t *testing.T) {
	w, now := newBounded(t)
	batch, waiting := 0, 0
	write := func(c *command.Command) (throttled bool) {
		waiting++
		w.replica.Write(c, func(r command.Result, err error) {
			if err != nil {
				t.Error(err)
			}
			waiting--
			throttled = r.Refusal == command.Throttled
		})
		return throttled
	}
	perform := func() {
		for waiting > 0 {
			w.step()
			batch++
			w.log.perform(w.log.find(batch), nothing)
		}
	}
	// writes and reads, which are consistent, go on until one is refused.
	writes := func() (admitted int) {
		for !write(w.put(t, "a/1")) {
			admitted++
		}
		perform()
		return admitted
	}
	reads := func() (admitted int) {
		for {
			var failed error
			w.replica.Read(&command.Get{Table: 100, TableVersion: 1, Key: key("a/1"), Strong: true}, func(_ command.GetResult, err error) { failed = err })
			if _, beyond := errors.AsType[*command.BeyondBound](failed); beyond {
				return admitted
			}
			if failed != nil {
				t.Fatal(failed)
			}
			if admitted++; admitted > 100_000 {
				t.Fatal("nothing is refused")
			}
		}
	}
	if got := writes(); got != 1000 {
		t.Errorf("%d writes in the first second, want 1000", got)
	}
	if write(w.command(t, []string{"consume", "1"})) {
		t.Error("what no client asks for is throttled")
	}
	perform()
	if got := reads(); got != 3000 {
		t.Errorf("%d reads in the first second, want 3000", got)
	}
	var failed error
	w.replica.ReadTogether(&command.MultiGet{Table: 100, TableVersion: 1, Keys: [][]byte{key("a/1")}}, func(_ []command.Seen, err error) { failed = err })
	if _, beyond := errors.AsType[*command.BeyondBound](failed); !beyond {
		t.Errorf("a transaction's read: %v", failed)
	}
	w.replica.Scan(&command.Plan{Table: 100, TableVersion: 1, Raw: true, Bytes: 1}, func(_ command.Page, err error) { failed = err })
	if failed != nil {
		t.Errorf("a job's walk: %v", failed)
	}
	w.replica.Scan(&command.Plan{Table: 100, TableVersion: 1, Bytes: 1}, func(_ command.Page, err error) { failed = err })
	if _, beyond := errors.AsType[*command.BeyondBound](failed); !beyond {
		t.Errorf("a client's walk: %v", failed)
	}
	*now += 10 * time.Millisecond
	write(w.command(t, []string{"put", "a/1", "n=" + strings.Repeat("1", 5000)}))
	perform()
	if got := writes(); got != 5 {
		t.Errorf("%d writes in a hundredth of a second besides one of 5 units, want 5", got)
	}
	*now += 10 * time.Second
	if got := reads(); got != 30_030 {
		t.Errorf("%d reads after ten seconds' rest and a hundredth, want 30,030", got)
	}
}
