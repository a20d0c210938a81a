package warm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/jobs/warm"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
)

// A peak raises what an on-demand table serves at once, to twice of it, when it is 30 minutes old, and not before; a provisioned table it
// leaves as it is. What could not be looked at is looked at later.
func TestPeaksComeOfAge(t *testing.T) {
	n := nodetest.Open(t, nil)
	make := func(name string, billing table.Billing) *table.Table {
		return n.Create(&table.Table{
			Name: name, State: table.Creating, Billing: billing, Warm: table.WarmOnDemand,
			Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}},
			Global: []table.Index{{
				Name: "index", Status: table.IndexCreating, Warm: table.WarmOnDemand, Key: table.Key{Hash: []table.KeyAttribute{{Name: "x", Type: attr.S}}},
				Projection: table.Projection{Kind: table.All},
			}},
		}, 1)
	}
	busy, bought := make("busy", table.OnDemandBilling), make("bought", table.Provisioned)
	const peak = 1000 // a minute since the epoch
	heavy := capacity.Tally{Consumed: [capacity.Kinds]float64{capacity.Reads: 60 * 100, capacity.Writes: 60 * 10_000}}
	failing := errors.New("a node does not answer")
	var minute int64
	job := warm.Job{
		Catalog: n.Catalog(), NowMillis: func() int64 { return minute * time.Minute.Milliseconds() },
		Consumed: func(_ context.Context, from, to int64) (map[int64]budget.Minute, error) {
			if from > peak || to <= peak {
				return nil, failing
			}
			return map[int64]budget.Minute{peak: {busy.ID: heavy, busy.Global[0].ID: heavy, bought.ID: heavy}}, failing
		},
	}
	step := func(at int64, want table.Warm) {
		t.Helper()
		minute = at
		if err := job.Step(t.Context()); !errors.Is(err, failing) {
			t.Fatalf("minute %d: %v", at, err)
		}
		now, _ := n.Catalog().TableByID(busy.ID)
		if now.Warm != want || now.Global[0].Warm != want {
			t.Errorf("minute %d: the table has %+v, its index %+v, want %+v", at, now.Warm, now.Global[0].Warm, want)
		}
	}
	step(peak+30, table.WarmOnDemand)
	step(peak+31, table.WarmOnDemand) // it is old enough, and cannot be read
	failing = nil
	step(peak+40, table.Warm{Read: 12_000, Write: 20_000})
	if now, _ := n.Catalog().TableByID(bought.ID); now.Warm != table.WarmOnDemand {
		t.Errorf("the provisioned table has %+v", now.Warm)
	}
	revision, _ := n.Catalog().EntryByTable(busy.ID)
	job = warm.Job{Catalog: job.Catalog, NowMillis: job.NowMillis, Consumed: job.Consumed}
	step(peak+50, table.Warm{Read: 12_000, Write: 20_000})
	if now, _ := n.Catalog().EntryByTable(busy.ID); now.Revision != revision.Revision {
		t.Error("another job that saw the same peak wrote the table anew")
	}
}
