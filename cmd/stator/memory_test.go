package main

import (
	"runtime"
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
