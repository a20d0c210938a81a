package sim_test

import (
	"testing"

	"stator/internal/node"
	"stator/sim"
)

// The machine stops at each sync there is, before it and after it: nothing that was answered is lost.
func TestCrashAtEverySync(t *testing.T) {
	o := sim.Options{Seed: 1, Operations: 40, Crashes: -1, Calm: true}
	whole, err := sim.Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Syncs < 30 {
		t.Fatalf("only %d syncs", whole.Syncs)
	}
	crashed := 0
	for sync := 1; sync <= whole.Syncs; sync++ {
		for _, after := range []bool{false, true} {
			o.CrashAtSync, o.AfterSync = sync, after
			result, err := sim.Run(o)
			if err != nil {
				t.Errorf("crash at sync %d, after it %v: %v", sync, after, err)
			}
			crashed += result.Crashes
		}
	}
	t.Logf("%d crashes at %d syncs", crashed, whole.Syncs)
	// A sync that the database makes of its own may come after the clients' last one, and then nothing is left to stop.
	if crashed < whole.Syncs {
		t.Errorf("%d crashes at %d syncs", crashed, whole.Syncs)
	}
}

// The checkers must be able to fail: a database that answers before it has synced, and one that shows what is not durable, are
// found out within some seeds.
func TestPlantedFaultsAreSeen(t *testing.T) {
	const seedsMax = 400
	for name, plant := range map[string]func(*sim.Options){
		"an answer before its sync": func(o *sim.Options) { o.Durability = node.Relaxed },
		"a read before the sync":    func(o *sim.Options) { o.Undurable = true },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seedsMax) {
				o := sim.Options{Seed: seed, Crashes: 5, Calm: true}
				plant(&o)
				if _, err := sim.Run(o); err != nil {
					t.Logf("found: %v", err)
					return
				}
			}
			t.Errorf("%d seeds found nothing wrong", seedsMax)
		})
	}
}
