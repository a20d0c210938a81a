package rebalance_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
	"stator/internal/partition/command"
)

// here is a node whose replicas hear nothing.
type here struct {
	forlorn []rebalance.Copy
	removed []rebalance.Copy
}

func (h *here) Forlorn() []rebalance.Copy { return h.forlorn }

func (h *here) Remove(_ context.Context, c rebalance.Copy) error {
	h.removed = append(h.removed, c)
	return nil
}

// A replica goes when its leader says that it is no member, or the catalog has no such partition; it stays while nobody
// answers, and while it may be the half of a split that is not entered.
func TestRetire(t *testing.T) {
	w := newWorld(t, 3)
	p := w.partitions()
	_, err := w.UpdateEntry(t.Context(), "things", func(e *catalog.Entry) (*catalog.Entry, error) {
		next := *e
		next.Splits = []catalog.Reservation{{Table: e.Table.ID, Parent: p[0].ID, Child: 900, At: []byte("x")}}
		return &next, nil
	})
	w.check(err)
	h := &here{forlorn: []rebalance.Copy{{Partition: p[0].ID, Replica: 1}, {Partition: p[0].ID, Replica: 5}, {Partition: 900, Replica: 1}, {Partition: 901, Replica: 2}}}
	var told []rebalance.Copy
	r := &rebalance.Retire{
		Catalog: w.Catalog, Here: h, Retired: func(c rebalance.Copy) { told = append(told, c) },
		Reports: func(_ context.Context, asked []catalog.Partition) ([]command.Report, error) {
			return []command.Report{{Partition: asked[0].ID, Members: w.groups[asked[0].ID].members}}, nil
		},
	}
	w.check(r.Step(t.Context()))
	want := []rebalance.Copy{{Partition: p[0].ID, Replica: 5}, {Partition: 901, Replica: 2}}
	slices.SortFunc(h.removed, func(a, b rebalance.Copy) int { return int(a.Partition) - int(b.Partition) })
	if !slices.Equal(h.removed, want) || len(told) != 2 {
		t.Errorf("removed %v, want %v", h.removed, want)
	}
	h.removed, h.forlorn = nil, h.forlorn[:2]
	r.Reports = func(context.Context, []catalog.Partition) ([]command.Report, error) {
		return nil, errors.New("nobody answers")
	}
	w.check(r.Step(t.Context()))
	if len(h.removed) > 0 {
		t.Errorf("removed on nobody's word: %v", h.removed)
	}
}

// A step asks about some; all have their turn.
func TestRetireInTurn(t *testing.T) {
	w := newWorld(t, 1)
	h := &here{}
	for id := range uint64(100) {
		h.forlorn = append(h.forlorn, rebalance.Copy{Partition: 5000 - id, Replica: 1})
	}
	r := &rebalance.Retire{Catalog: w.Catalog, Here: h, Retired: func(rebalance.Copy) {}}
	for range 4 {
		before := len(h.removed)
		w.check(r.Step(t.Context()))
		if n := len(h.removed) - before; n > 32 {
			t.Fatalf("%d in one step", n)
		}
	}
	seen := map[uint64]bool{}
	for _, c := range h.removed {
		seen[c.Partition] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 had their turn", len(seen))
	}
}
