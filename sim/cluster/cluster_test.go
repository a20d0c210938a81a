package cluster_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"stator/sim/cluster"
)

var (
	seeds = flag.Int("seeds", 12, "how many seeds to run at most")
	limit = flag.Duration("for", 45*time.Second, "how long to run seeds at most")
	first = flag.Uint64("seed", 0, "the first seed, 0 for fresh ones; with -seeds 1 and -v the run is told line by line")
	until = flag.Bool("first", false, "end with the first seed that finds something")
)

// seedsToShow are so many that all kinds of things happen in them.
const seedsToShow = 10

// kept are seeds that found something once.
var kept = []uint64{1795990859}

// TestSeeds runs many clusters. A failing one is run again by the line it prints.
func TestSeeds(t *testing.T) {
	from := *first
	if from == 0 {
		from = uint64(time.Now().UnixNano()) >> 10 << 1
	}
	var sum cluster.Result
	began, ran := time.Now(), 0
	for i := range *seeds {
		if time.Since(began) > *limit {
			break
		}
		ran++
		o := cluster.Options{Seed: from + uint64(i)}
		if *seeds == 1 && testing.Verbose() {
			o.Log = os.Stdout
		}
		run(t, o, &sum)
		if t.Failed() && *until {
			t.Fatalf("found after %d seeds", i+1)
		}
	}
	t.Logf("%d seeds in %s: %+v", ran, time.Since(began).Round(time.Millisecond), sum)
	if ran >= seedsToShow && (sum.Compared == 0 || sum.Splits == 0 || sum.Crashes == 0 || sum.Moves == 0 || sum.Snapshots == 0 || sum.Committed == 0) {
		t.Error("the runs show nothing: something that should happen never did")
	}
}

// TestKeptSeeds runs those again that found something.
func TestKeptSeeds(t *testing.T) {
	var sum cluster.Result
	for _, seed := range kept {
		run(t, cluster.Options{Seed: seed}, &sum)
	}
}

func run(t *testing.T, o cluster.Options, sum *cluster.Result) {
	t.Helper()
	result, err := cluster.Run(o)
	if err != nil {
		t.Errorf("%v\nto see it again: go test ./sim/cluster -run TestSeeds -v -seeds 1 -seed %d", err, o.Seed)
	}
	sum.Add(result)
}

// A seed replays: whatever it shows can be seen again.
func TestASeedReplays(t *testing.T) {
	once, err := cluster.Run(cluster.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	again, err := cluster.Run(cluster.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if once != again {
		t.Errorf("the seed was %+v and is %+v", once, again)
	}
}
