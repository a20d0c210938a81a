package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// Garbage has what the promise leaves, a third of what lives at most, and some in any case.
func TestGarbageHasWhatIsLeft(t *testing.T) {
	const most = 160 << 20
	for _, c := range []struct {
		what string
		heap heap
		want int64
	}{
		{"idle", heap{live: 10 << 20, fixed: 10 << 20}, 3 << 20},
		{"room for all of it", heap{live: 60 << 20, fixed: 12 << 20}, 18 << 20},
		{"room for a part", heap{live: 130 << 20, fixed: 10 << 20}, 20 << 20},
		{"hardly any room", heap{live: 110 << 20, fixed: 49 << 20}, garbageBytesMin},
		{"more lives than was promised", heap{live: 1000 << 20, fixed: 50 << 20}, 100 << 20},
	} {
		if got := c.heap.garbage(most); got != c.want {
			t.Errorf("%s: %d bytes of garbage, want %d", c.what, got, c.want)
		}
	}
}

// An operator's GOMEMLIMIT binds the tuner. Their GOGC takes the place of the promise.
func TestOperatorsOwnLimits(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	for _, allowed := range []int64{math.MaxInt64, 1 << 20} {
		tuner := collectorTuner{collectedMax: 200 << 20, uncollected: func() int64 { return 0 }, allowed: allowed}
		tuner.tune()
		if set := debug.SetMemoryLimit(-1); set != min(tuner.limit, allowed) || set <= 0 {
			t.Errorf("of %d bytes that are allowed the runtime may take %d", allowed, set)
		}
	}
	serve := serveCommand{}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "1GiB")
	if !serve.promisesMemory() || !strings.Contains(serve.describeMemory(), "at most") {
		t.Errorf("with a GOMEMLIMIT nothing is promised: %s", serve.describeMemory())
	}
	t.Setenv("GOGC", "100")
	if serve.promisesMemory() || strings.Contains(serve.describeMemory(), "at most") {
		t.Errorf("with the operator's GOGC it is promised: %s", serve.describeMemory())
	}
}

// What is done after a collection is done after the next one too.
func TestAfterCollections(t *testing.T) {
	done := make(chan struct{}, 100)
	afterCollections(func() {
		select {
		case done <- struct{}{}:
		default:
		}
	})
	<-done // at once
	for range 3 {
		runtime.GC()
		<-done
	}
}

// The runtime's measures have the names that are asked for, and what lives is a part of them.
func TestHeapIsMeasured(t *testing.T) {
	runtime.GC()
	if h := measureHeap(); h.live <= 0 || h.fixed <= 0 {
		t.Errorf("%+v", h)
	}
}
