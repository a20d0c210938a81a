package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// garbagePercent is how much garbage the collector lets gather beside what lives, most of which are caches that the operator
// has given a size: with Go's default of 100 the process takes twice that. A limit in bytes would not do: what the store
// knows of its tables grows with them, and a collector near its limit does nothing but collect.
const garbagePercent = 30

// tuneMemory has the process take little more than it keeps, and collect more often when it comes near all that it may, so
// that a burst of large requests does not double the heap. The operator's own GOGC and GOMEMLIMIT come first.
func (c *serveCommand) tuneMemory() {
	if c.InMemory {
		return // the data is in the heap too, and nobody has given that a size
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		sum := float64(c.Cache) + float64(c.Memory) + memtableBytes + overheadBytes
		debug.SetMemoryLimit(int64(math.Min(sum, math.MaxInt64/2)))
	}
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
