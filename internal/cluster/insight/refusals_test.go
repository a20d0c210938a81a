package insight_test

import (
	"math"
	"slices"
	"testing"

	"stator/internal/cluster/insight"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// However many partitions throttle, what is remembered is bounded: the oldest minutes go first, and of what no room is left for the number
// is known.
func TestRefusalsAreBounded(t *testing.T) {
	var m insight.Refusals
	r := capacity.Request{Payer: capacity.Payer{Table: &table.Table{ID: 100}}, Kind: capacity.Writes, Units: 3}
	const rowsMax, perMinute = 2048, 100
	for at := range 2 * insight.Minutes {
		for partition := range perMinute {
			m.Note(&r, capacity.PartitionBounds[r.Kind], uint64(partition), int64(at))
		}
	}
	of := m.Of([]uint64{100}, 0)
	if len(of.Rows) > rowsMax || len(of.Rows) < rowsMax-perMinute || of.Lost != 0 || of.Rows[len(of.Rows)-1].Minute != 2*insight.Minutes-1 {
		t.Fatalf("%d rows up to minute %d, %d lost", len(of.Rows), of.Rows[len(of.Rows)-1].Minute, of.Lost)
	}
	for partition := range rowsMax + 7 {
		m.Note(&r, capacity.PartitionBounds[r.Kind], uint64(partition), math.MaxInt64)
	}
	of = m.Of([]uint64{100}, 0)
	if len(of.Rows) != rowsMax || of.Lost != 7 {
		t.Errorf("%d rows in one minute, %d lost", len(of.Rows), of.Lost)
	}
	if of := m.Of([]uint64{101}, 0); len(of.Rows) != 0 {
		t.Errorf("another table has %+v", of.Rows)
	}
}

// A copy's minutes are remembered for an hour, whatever the clock does in between.
func TestServedMinutes(t *testing.T) {
	var h insight.Heat
	const first = 30_000_000
	for _, at := range []int64{first, first + 1, first + 1, first + 59, first + 60, first - 1, first + 2} {
		h.Add(7, at, [capacity.Kinds]float64{capacity.Writes: 1})
	}
	served := h.Of([]uint64{7, 8})
	if len(served) != 1 {
		t.Fatalf("%d copies", len(served))
	}
	var got []float64
	for _, at := range []int64{first - 1, first, first + 1, first + 2, first + 3, first + 60, first + 61} {
		got = append(got, served[0].At(at)[capacity.Writes])
	}
	if want := []float64{0, 0, 2, 1, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("minutes %v, want %v", got, want)
	}
	if h.Forget(first + 61); len(h.Of([]uint64{7})) != 0 {
		t.Error("what is old is remembered")
	}
}
