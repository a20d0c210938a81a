// Package seeds runs a simulator's seeds as tests. It does not know what happens in them.
package seeds

import (
	"cmp"
	"flag"
	"io"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

var (
	count = flag.Int("seeds", 0, "how many seeds to run at most, 0 for as many as the simulator says")
	limit = flag.Duration("for", 0, "how long to run seeds at most, 0 for as long as the simulator says")
	first = flag.Uint64("seed", 0, "the first seed, 0 for those that the simulator says; with -seeds 1 and -v the run is told line by line")
	until = flag.Bool("first", false, "end with the first seed that finds something")
)

// Simulator runs seeds. A result's integers count what happened; a checksum of all that happened is among the rest.
type Simulator[Result comparable] struct {
	// Package is its path for go test.
	Package string
	// Seeds and Time are how many are run, and for how long, where the command line does not say.
	Seeds int
	Time  time.Duration
	// First is the first seed where the command line does not say; 0 is fresh ones.
	First uint64
	// Shows is in how many seeds all happens that is counted, and worlds that leave something behind are few.
	Shows int
	// Run runs one of them. log, unless it is nil, gets a line for everything that happens.
	Run func(seed uint64, log io.Writer) (Result, error)
}

// Many runs many seeds. A failing one is run again by the line it prints.
func (s *Simulator[Result]) Many(t *testing.T) {
	from := cmp.Or(*first, s.First, uint64(time.Now().UnixNano())>>10<<1)
	seedsMax, timeMax := s.Seeds, s.Time
	if *count > 0 {
		seedsMax = *count
	}
	if *limit > 0 {
		timeMax = *limit
	}
	var log io.Writer
	if seedsMax == 1 && testing.Verbose() {
		log = os.Stdout
	}
	// A world is small and soon gone: most of what collecting its garbage early would find is still in use.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var sum Result
	began, ran, before := time.Now(), 0, runtime.NumGoroutine()
	for ; ran < seedsMax && time.Since(began) < timeMax; ran++ {
		add(&sum, s.run(t, from+uint64(ran), log))
		if t.Failed() && *until {
			t.Fatalf("found after %d seeds", ran+1)
		}
	}
	t.Logf("%d seeds in %s: %+v", ran, time.Since(began).Round(time.Millisecond), sum)
	if ran < s.Shows {
		return
	}
	if name := missing(sum); name != "" {
		t.Errorf("the runs show nothing: the count of %s is 0", name)
	}
	awaitEnds(t, before+ran)
}

func (s *Simulator[Result]) run(t *testing.T, seed uint64, log io.Writer) Result {
	t.Helper()
	result, err := s.Run(seed, log)
	if err != nil {
		t.Errorf("%v\nto see it again: go test %s -run TestSeeds -v -seeds 1 -seed %d", err, s.Package, seed)
	}
	return result
}

// Kept runs seeds that found something once.
func (s *Simulator[Result]) Kept(t *testing.T, kept ...uint64) {
	for _, seed := range kept {
		s.run(t, seed, nil)
	}
}

// Replays runs seeds twice: whatever one shows can be seen again.
func (s *Simulator[Result]) Replays(t *testing.T, seeds ...uint64) {
	results := map[Result]uint64{}
	for _, seed := range seeds {
		once, again := s.run(t, seed, nil), s.run(t, seed, nil)
		if once != again {
			t.Errorf("seed %d was %+v and is %+v", seed, once, again)
		}
		if other, same := results[once]; same {
			t.Errorf("seeds %d and %d are one: the comparison above shows nothing", other, seed)
		}
		results[once] = seed
	}
}

// add adds up counts.
func add[Result any](sum *Result, result Result) {
	to, from := reflect.ValueOf(sum).Elem(), reflect.ValueOf(result)
	for i := range from.NumField() {
		if to.Field(i).CanInt() {
			to.Field(i).SetInt(to.Field(i).Int() + from.Field(i).Int())
		}
	}
}

// missing names a count that is 0.
func missing[Result any](sum Result) string {
	counts := reflect.ValueOf(sum)
	for i := range counts.NumField() {
		if counts.Field(i).CanInt() && counts.Field(i).Int() == 0 {
			return counts.Type().Field(i).Name
		}
	}
	return ""
}

// endsTimeMax is how long the last goroutines of worlds may take to end.
const endsTimeMax = time.Minute

// awaitEnds fails a test whose worlds leave more goroutines than that behind. Each keeps its world alive, and memory is full before
// thousands of worlds were run. Some may: a store that broke stays open (engine.Close), which is so in few worlds.
func awaitEnds(t *testing.T, goroutinesMax int) {
	for ended := time.Now(); runtime.NumGoroutine() > goroutinesMax; runtime.Gosched() {
		if time.Since(ended) > endsTimeMax {
			stacks := make([]byte, 1<<20)
			t.Errorf("%d goroutines outlive their worlds:\n%s", runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			return
		}
	}
}
