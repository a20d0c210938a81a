package router_test

import (
	"errors"
	"slices"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// Whoever has read a shard that a split ended finds both that go on, also in the moment in which the map does not show the right half yet.
// One that keeps no change any more is not waited for.
func TestShardsOfHalves(t *testing.T) {
	r := newRig(t, 1, 0)
	whole := r.node.Catalog().Partitions(r.table.ID)
	next := r.table.Clone()
	next.Version, next.Streams = 2, []table.Stream{{CreatedMillis: 7}}
	r.node.Must(whole[0].ID).Adopt(next, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	for r.node.Turn() {
		continue
	}
	r.freeze()
	r.split(t, suffix("m", 0))
	names := func() (names []command.ShardName) {
		t.Helper()
		list, err := r.router.Shards(t.Context(), r.table.ID, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, shard := range list.Shards {
			names = append(names, shard.Name)
		}
		return names
	}
	halves, right := names(), r.node.Catalog().Partitions(r.table.ID)[1].ID
	if len(halves) != 3 || halves[1].Partition != whole[0].ID || halves[2].Partition != right || r.pauses != 1 || r.looks != 2 {
		t.Errorf("%+v after %d pauses and %d looks", halves, r.pauses, r.looks)
	}
	if got := names(); !slices.Equal(got, halves) || r.looks != 2 {
		t.Errorf("once it is known: %+v after %d looks", got, r.looks)
	}
	r.frozen, r.entered = map[uint64][]catalog.Partition{r.table.ID: whole}, true
	if got := names(); !slices.Equal(got, halves[:2]) || r.pauses != 1 || r.looks != 3 {
		t.Errorf("without the right half: %+v after %d pauses and %d looks", got, r.pauses, r.looks)
	}
	r.unreachable = errors.New("no leader")
	if list, err := r.router.Shards(t.Context(), r.table.ID, 7); !errors.Is(err, r.unreachable) || errors.Is(err, router.ErrNoTable) {
		t.Errorf("with nobody to ask: %+v, %v", list, err)
	}
}
