package insight_test

import (
	"math"
	"slices"
	"testing"

	"stator/internal/cluster/insight"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// However many partitions throttle, what is remembered is bounded, and a whole hour: the oldest minutes tell no partitions any more. However
// many tables do, the oldest minutes go, and of what no room is left for the number is known.
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
	requests, minutes, last := uint64(0), map[int64]bool{}, map[uint64]bool{}
	for _, row := range of.Rows {
		requests += row.Requests
		minutes[row.Minute] = true
		if row.Minute == 2*insight.Minutes-1 {
			last[row.Partition] = true
		}
	}
	if len(of.Rows) > rowsMax || len(minutes) != insight.Minutes || requests != insight.Minutes*perMinute || len(last) != perMinute || of.Lost != 0 {
		t.Fatalf("%d rows of %d minutes and %d requests, %d partitions in the last, %d lost", len(of.Rows), len(minutes), requests, len(last), of.Lost)
	}
	for id := range uint64(rowsMax + 7) {
		r.Table = &table.Table{ID: 1000 + id}
		m.Note(&r, capacity.PartitionBounds[r.Kind], 1, math.MaxInt64)
	}
	if of := m.Of([]uint64{100, 1000}, 0); len(of.Rows) != 1 || of.Rows[0].Partition != 1 || of.Lost != 7 {
		t.Errorf("%d rows, %d lost: %+v", len(of.Rows), of.Lost, of.Rows)
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
