package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"stator/internal/base/limiter"
)

// memoryEvery is how often the garbage collector is told what it may use.
const memoryEvery = 100 * time.Millisecond

// programBytes is the part of overheadBytes that is the program itself, which the collector does not count.
const programBytes = 20 << 20

// keepMemory tells the garbage collector what the process may use: what the store keeps, some more, and twice what requests
// under way hold, as an answer is built while its request is kept. It collects more often when it comes near. The
// operator's own GOMEMLIMIT comes first.
func (s *server) keepMemory(requests *limiter.Budget) {
	if _, set := os.LookupEnv("GOMEMLIMIT"); set {
		return
	}
	resting := math.Min(float64(s.command.Cache)+memtableBytes+overheadBytes-programBytes, math.MaxInt64/2)
	limit := func() { debug.SetMemoryLimit(int64(resting) + 2*requests.Used()) }
	limit()
	go func() {
		ticker := time.NewTicker(memoryEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				limit()
			case <-s.stopped:
				return
			}
		}
	}()
}

// syncingProcessors are for the thread that waits for the disk: it keeps its processor from others for a while, on
// two cores a fifth of what they could do.
const syncingProcessors = 1

// addProcessors lets more threads run than there are cores. The operator's own GOMAXPROCS comes first.
func addProcessors() {
	if _, set := os.LookupEnv("GOMAXPROCS"); !set {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + syncingProcessors)
	}
}
