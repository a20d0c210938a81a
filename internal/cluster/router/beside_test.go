package router

import (
	"slices"
	"sync/atomic"
	"testing"
)

// Each call is made once, also where a partition comes here or goes while they are made.
func TestSideBySideCallsEachOnce(t *testing.T) {
	r := &Router{options: Options{FanOut: 2, Cluster: &Cluster{}}}
	var asked, called [8]atomic.Int64
	far := func(i int) bool { return asked[i].Add(1)%2 == int64(i%2) }
	r.sideBySide(len(called), far, func(i int) { called[i].Add(1) })
	var counts []int64
	for i := range called {
		counts = append(counts, called[i].Load())
	}
	if !slices.Equal(counts, slices.Repeat([]int64{1}, len(called))) {
		t.Errorf("the calls were made so many times: %v", counts)
	}
}
