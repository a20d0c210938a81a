package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// garbagePercent is how much garbage the collector lets gather beside what lives, most of which are caches that the
	// operator has given a size: with Go's default of 100 the process takes twice that.
	garbagePercent = 30
	// garbageBytesMin of it, and garbagePercentMin of what lives, may gather whatever was promised: what the store knows of
	// its tables grows with them, and a collector that has to stay below what lives does nothing but collect.
	garbageBytesMin   = 12 << 20
	garbagePercentMin = 10
	// programBytes are the pages of the program that serving needs.
	programBytes = 25 << 20
	// limitStepBytes is how much a limit must move to be set: that stops the process for a moment.
	limitStepBytes = 1 << 20
)

// residentBytesMax is what the process takes at most, besides what requests under way hold.
func (c *serveCommand) residentBytesMax() int64 {
	return int64(c.Cache) + memtableBytes + overheadBytes
}

// tuneMemory has the process take no more than it promises, nor than the operator's GOMEMLIMIT allows. Their own GOGC takes the
// place of that.
func (c *serveCommand) tuneMemory(uncollected func() int64) {
	if c.promisesMemory() {
		t := collectorTuner{
			collectedMax: c.residentBytesMax() - programBytes, uncollected: uncollected, allowed: debug.SetMemoryLimit(-1),
		}
		afterCollections(t.tune)
	}
}

// promisesMemory tells whether the process keeps to residentBytesMax: not where the data is in the heap too, as nobody has given that a
// size, and not where the operator says by GOGC how much garbage may gather.
func (c *serveCommand) promisesMemory() bool { return !c.InMemory && os.Getenv("GOGC") == "" }

// collectorTuner has what the Go runtime takes fit into what the promise leaves it.
type collectorTuner struct {
	collectedMax int64
	uncollected  func() int64 // what the store has outside of the heap
	allowed      int64        // the operator's GOMEMLIMIT
	limit        int64        // that it tuned for last
}

// tune follows what the store has taken since, and what lives. The percentage says when to collect. The limit has the
// runtime give back pages that blocks had while rows take others, and lies above, as it does so from 95 % on.
func (t *collectorTuner) tune() {
	h := measureHeap()
	garbage := h.garbage(min(t.collectedMax-t.uncollected(), t.allowed))
	limit := (h.live + h.fixed + garbage) / 95 * 100
	if difference := limit - t.limit; difference >= limitStepBytes || difference <= -limitStepBytes {
		t.limit = limit
		debug.SetMemoryLimit(min(limit, t.allowed))
		debug.SetGCPercent(int(garbage * 100 / max(1, h.live)))
	}
}

// heap is what the Go runtime takes: objects that live, and what it cannot give back.
type heap struct{ live, fixed int64 }

// garbage is how much may gather where the Go runtime may take so much.
func (h heap) garbage(collectedMax int64) int64 {
	most := h.live * garbagePercent / 100
	least := min(most, max(garbageBytesMin, h.live*garbagePercentMin/100))
	return max(least, min(most, collectedMax-h.live-h.fixed))
}

func measureHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(s)
	bytes := func(i int) int64 { return int64(s[i].Value.Uint64()) }
	return heap{live: bytes(0), fixed: bytes(1) - bytes(2) - bytes(3) - bytes(4)}
}

// afterCollections does something after each collection from the next on.
func afterCollections(do func()) {
	type collected struct{ _ *byte }
	var next func(func())
	next = func(do func()) {
		do()
		runtime.AddCleanup(&collected{}, next, do)
	}
	next(do)
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
