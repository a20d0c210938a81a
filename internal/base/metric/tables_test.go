package metric_test

import (
	"testing"
	"time"

	"stator/internal/base/metric"
)

// The tables beyond the bound are counted together, and what was counted of them stays when one of them comes to be counted on its own.
func TestTablesBeyondTheBoundAreCountedTogether(t *testing.T) {
	tables := metric.NewTables(2)
	count := func(id uint64) { tables.Table(id).Operation(1).Throttled.Add(1) }
	throttled := func(id uint64) int64 {
		counts, ok := tables.All()[id]
		if !ok {
			return -1
		}
		return counts.Operation(1).Throttled.Load()
	}
	const beyond = metric.TablesMax + 2
	for id := uint64(1); id <= beyond; id++ {
		count(id)
	}
	if n := len(tables.All()); n != metric.TablesMax+1 {
		t.Fatalf("%d tables are told, want %d and the others", n, metric.TablesMax)
	}
	if throttled(1) != 1 || throttled(beyond) != -1 || throttled(metric.Others) != 2 {
		t.Errorf("counted %d, %d, of the others %d", throttled(1), throttled(beyond), throttled(metric.Others))
	}
	if tables.Counted(1) != 1 || tables.Counted(beyond) != metric.Others {
		t.Errorf("counted as %d and %d", tables.Counted(1), tables.Counted(beyond))
	}
	// A full house stays as it is; the table that goes makes room for one that was among the others.
	tables.Keep(func(uint64) bool { return true })
	count(beyond)
	if throttled(metric.Others) != 3 {
		t.Errorf("the others count %d, want 3", throttled(metric.Others))
	}
	tables.Keep(func(id uint64) bool { return id != 1 })
	count(beyond)
	if throttled(1) != -1 || throttled(beyond) != 1 || throttled(metric.Others) != 3 {
		t.Errorf("after one is gone: %d, %d, of the others %d", throttled(1), throttled(beyond), throttled(metric.Others))
	}
}

func TestOnlyOperationsThatWereAskedForAreTold(t *testing.T) {
	table := metric.NewTables(3).Table(7)
	table.Operation(2).Latency.Observe(time.Millisecond)
	table.Operation(2).Latency.Observe(time.Millisecond)
	asked := table.Asked()
	if len(asked) != 1 || asked[2].Latency.Snapshot().Count != 2 {
		t.Errorf("asked %v", asked)
	}
}

func BenchmarkServed(b *testing.B) {
	tables := metric.NewTables(14)
	b.ReportAllocs()
	for b.Loop() {
		tables.Table(7).Operation(3).Latency.Observe(90 * time.Microsecond)
	}
}
