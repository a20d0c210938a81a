package replica_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// What a copy serves is counted where it falls, whether it is kept to its bounds or not; what a job asks for is not.
func TestTraffic(t *testing.T) {
	w := newWorld(t)
	w.steady = func() time.Duration { return time.Hour }
	newCopy(w)
	w.replica.Lead(machine.SoloEpoch, w.part)
	served := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for batch, line := range []string{"put a/1 n=" + strings.Repeat("1", 5000), "put b/1 n=1", "consume 1"} {
		w.replica.Write(w.command(t, strings.Fields(line)), func(_ command.Result, err error) { served(err) })
		w.step()
		w.log.perform(w.log.find(batch+1), nothing)
	}
	w.replica.Read(&command.Get{Table: 100, TableVersion: 1, Key: key("a/1")}, func(_ command.GetResult, err error) { served(err) })
	w.replica.Read(&command.Get{Table: 100, TableVersion: 1, Key: key("c/1"), Strong: true}, func(_ command.GetResult, err error) { served(err) })
	for _, raw := range []bool{false, true} {
		w.replica.Scan(&command.Plan{Table: 100, TableVersion: 1, Lower: key("b/1"), Raw: raw, Bytes: 1 << 20}, func(_ command.Page, err error) { served(err) })
	}
	want := [capacity.Kinds]map[string]float64{
		capacity.Reads:  {"a/1": 1, "b/1": 0.5, "c/1": 1},
		capacity.Writes: {"a/1": 5, "b/1": 1},
	}
	for kind, units := range want {
		got := w.replica.Hottest(capacity.Kind(kind), 10)
		if len(got) != len(units) {
			t.Errorf("kind %d: %v", kind, got)
		}
		for name, n := range units {
			for _, k := range got {
				if string(k.Bytes) == string(key(name)) && (k.PerSecond < 0.99*n || k.PerSecond > 1.01*n) {
					t.Errorf("kind %d: %s takes %v units, want %v", kind, name, k.PerSecond, n)
				}
			}
		}
	}
	if got, want := w.replica.Heat(), 6.0/1000+2.5/3000; math.Abs(got/want-1) > 0.01 {
		t.Errorf("the heat is %v, want %v", got, want)
	}
	w.replica.Follow(2)
	if got := w.replica.Heat(); got != 0 {
		t.Errorf("a copy that does not lead any more has a heat of %v from before", got)
	}
}

// What a client writes heats the partitions of global indexes too, what a new index is filled with does not. What a transaction reads together
// heats each of its items.
func TestTrafficOfJobsAndTransactions(t *testing.T) {
	w := newWorld(t)
	w.steady = func() time.Duration { return time.Hour }
	newCopy(w)
	w.replica.Lead(machine.SoloEpoch, w.part)
	large := w.put(t, "a/1 n="+strings.Repeat("1", 5000)).Item
	for batch, consumer := range []string{command.IndexConsumer, ""} {
		w.replica.Write(&command.Command{Action: command.Feed, Table: 100, Consumer: consumer, Entries: []command.Entry{
			{Key: key("a/1"), Version: uint64(batch) + 1, Item: large}, {Key: key("b/1"), Version: uint64(batch) + 1},
		}}, func(r command.Result, err error) {
			if err != nil || r.Refusal != command.Accepted {
				t.Errorf("%+v, %v", r, err)
			}
		})
		w.step()
		w.log.perform(w.log.find(batch+1), nothing)
	}
	if got := w.replica.PerSecond()[capacity.Writes]; math.Abs(got/6-1) > 0.01 {
		t.Errorf("%v write units, want 5 of an entry that came and 1 of one that went", got)
	}
	w.replica.ReadTogether(&command.MultiGet{Table: 100, TableVersion: 1, Keys: [][]byte{key("a/1"), key("b/1")}}, func(_ []command.Seen, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	for i, want := range []string{"a/1", "b/1"} {
		got := w.replica.Hottest(capacity.Reads, 2)
		if len(got) != 2 || string(got[i].Bytes) != string(key(want)) || math.Abs(got[i].PerSecond/[]float64{2, 1}[i]-1) > 0.01 {
			t.Errorf("number %d of the keys that were read is %v, want %s", i+1, got, want)
		}
	}
}
