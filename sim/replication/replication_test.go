package replication_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"stator/sim/replication"
)

var (
	seeds = flag.Int("seeds", 200, "how many seeds to run at most")
	limit = flag.Duration("for", 5*time.Minute, "how long to run seeds at most")
	first = flag.Uint64("seed", 0, "the first seed, 0 for fresh ones; with -seeds 1 and -v the run is told line by line")
	until = flag.Bool("first", false, "end with the first seed that finds something")
)

// seedsToShow are so many that all kinds of things happen in them.
const seedsToShow = 20

// kept are seeds that found something once.
var kept = []uint64{
	3507807892975130, // a learner that came late was never settled by the simulator: nothing could be split or moved any more
	3507807892976643, // a copy went while its node stood still, and the simulator asked it to hand over
}

// TestSeeds runs many clusters. A failing one is run again by the line it prints.
func TestSeeds(t *testing.T) {
	from := *first
	if from == 0 {
		from = uint64(time.Now().UnixNano()) >> 10 << 1
	}
	// A world is small and soon gone: most of what collecting its garbage early would find is still in use.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var sum replication.Result
	began, ran := time.Now(), 0
	for i := range *seeds {
		if time.Since(began) > *limit {
			break
		}
		ran++
		o := replication.Options{Seed: from + uint64(i)}
		if *seeds == 1 && testing.Verbose() {
			o.Log = os.Stdout
		}
		run(t, o, &sum)
		if t.Failed() && *until {
			t.Fatalf("found after %d seeds", i+1)
		}
	}
	t.Logf("%d seeds in %s: %+v", ran, time.Since(began).Round(time.Millisecond), sum)
	if ran >= seedsToShow && (sum.Compared == 0 || sum.Splits == 0 || sum.Crashes == 0 || sum.Moves == 0 || sum.Snapshots == 0) {
		t.Error("the runs show nothing: something that should happen never did")
	}
}

// TestKeptSeeds runs those again that found something.
func TestKeptSeeds(t *testing.T) {
	var sum replication.Result
	for _, seed := range kept {
		run(t, replication.Options{Seed: seed}, &sum)
	}
}

func run(t *testing.T, o replication.Options, sum *replication.Result) {
	t.Helper()
	result, err := replication.Run(o)
	if err != nil {
		t.Errorf("%v\nto see it again: go test ./sim/replication -run TestSeeds -v -seeds 1 -seed %d", err, o.Seed)
	}
	sum.Add(result)
}

// A seed replays: whatever it shows can be seen again.
func TestASeedReplays(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		once, err := replication.Run(replication.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		again, err := replication.Run(replication.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if once != again {
			t.Errorf("seed %d was %+v and is %+v", seed, once, again)
		}
		if other, _ := replication.Run(replication.Options{Seed: seed + 1000}); other.Trace == once.Trace {
			t.Errorf("seeds %d and %d are one: the comparison above shows nothing", seed, seed+1000)
		}
	}
}
