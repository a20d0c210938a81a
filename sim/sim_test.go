package sim_test

import (
	"flag"
	"os"
	"testing"

	"stator/sim"
)

var (
	seeds = flag.Int("seeds", 30, "how many seeds to run")
	first = flag.Uint64("seed", 0, "the first seed; with -seeds 1 and -v the run is told line by line")
)

// TestSeeds runs many worlds. A failing one is run again by the line it prints.
func TestSeeds(t *testing.T) {
	var sum sim.Result
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		o := sim.Options{Seed: seed}
		if *seeds == 1 && testing.Verbose() {
			o.Log = os.Stdout
		}
		result, err := sim.Run(o)
		if err != nil {
			t.Errorf("%v\nto see it again: go test ./sim -run TestSeeds -v -seeds 1 -seed %d", err, seed)
		}
		sum.Operations += result.Operations
		sum.Crashes += result.Crashes
		sum.Splits += result.Splits
		sum.Indexes += result.Indexes
		sum.Dropped += result.Dropped
		sum.Transactions += result.Transactions
		sum.Committed += result.Committed
		sum.Turns += result.Turns
		sum.Changes += result.Changes
	}
	t.Logf("%d seeds: %d operations, %d transactions of which %d were performed, %d crashes, %d splits, %d indexes created or deleted, %d tables dropped, %d changes read out of streams, %d turns",
		*seeds, sum.Operations, sum.Transactions, sum.Committed, sum.Crashes, sum.Splits, sum.Indexes, sum.Dropped, sum.Changes, sum.Turns)
}
