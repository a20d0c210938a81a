package node_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/model/capacity"
	"stator/internal/node"
)

// What was consumed outlives the process, minute by minute, and so do the units that were saved up.
func TestMetersOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	at := clock.NewManual(time.Date(2026, 11, 29, 12, 0, 10, 0, time.UTC))
	minute := at.Now().Unix() / 60
	open := func() *node.Node {
		n, err := node.Open(t.Context(), node.Options{Data: dir, DiskReserve: -1, Clock: at, Capacity: node.CapacityEnforce, Steady: func() time.Duration { return 0 }})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	metered(t, n.Calls(), 3)
	for i := range 3 {
		put(t, n.Calls(), i)
	}
	closed(t, n)
	at.Advance(20 * time.Second) // the same minute
	n = open()
	for i := range 3 {
		put(t, n.Calls(), i)
	}
	if err := n.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	at.Advance(10 * time.Minute)
	put(t, n.Calls(), 0)
	closed(t, n)
	n = open()
	minutes, err := n.Consumed(minute, minute+60)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]float64{}
	for m, payers := range minutes {
		for _, tally := range payers {
			got[m-minute] += tally.Consumed[capacity.Writes]
		}
	}
	if want := map[int64]float64{0: 6, 10: 1}; !maps.Equal(got, want) {
		t.Errorf("units by minute are %v, want %v", got, want)
	}
	// Nothing but that one write was asked for in the last five minutes.
	burst := 0
	for !put(t, n.Calls(), burst) {
		burst++
	}
	if burst != 899 {
		t.Errorf("a burst of %d, want 899: five minutes' units but for the one", burst)
	}
	if earlier, err := n.Consumed(minute-100, minute); err != nil || len(earlier) != 0 {
		t.Errorf("before the table was: %v, %v", slices.Collect(maps.Keys(earlier)), err)
	}
	closed(t, n)
}

// The books are whole at any moment: also while a minute is closed, and while what was consumed is on its way into them.
func TestMetersAreWholeWhileTheyTurn(t *testing.T) {
	n, at := reporting(t)
	metered(t, n.Calls(), 10)
	for range 1000 {
		n.Consume("things", 1)
		if err := n.Count(t.Context()); err != nil {
			t.Fatal(err)
		}
		minute := at.Now().Unix() / 60
		at.Advance(time.Minute)
		turned := make(chan error, 1)
		go func() { turned <- n.Count(context.Background()) }()
		counted, err := n.Consumed(minute, minute+1)
		if err = errors.Join(err, <-turned); err != nil {
			t.Fatal(err)
		}
		if len(counted[minute]) != 1 {
			t.Fatalf("while minute %d is closed %v was consumed in it, want one unit", minute, counted[minute])
		}
	}
}
