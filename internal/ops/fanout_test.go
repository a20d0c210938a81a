package ops

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Every part runs once, also when many batches together want more workers than there are.
func TestFanOutRunsEveryPartOnce(t *testing.T) {
	fan := newFanOut(3)
	var batches sync.WaitGroup
	for range 20 {
		batches.Go(func() {
			var ran [40]atomic.Int32
			fan.run(len(ran), func(i int) { ran[i].Add(1) })
			for i := range ran {
				if n := ran[i].Load(); n != 1 {
					t.Errorf("part %d ran %d times", i, n)
				}
			}
		})
	}
	batches.Wait()
	if len(fan.free) != 0 {
		t.Errorf("%d workers were not given back", len(fan.free))
	}
}

// A batch is under way all at once as far as workers go: what waits for the disk must not wait for the part before it.
func TestFanOutRunsPartsSideBySide(t *testing.T) {
	fan := newFanOut(fanOutWorkersMax)
	var together sync.WaitGroup
	together.Add(fanOutWidthMax)
	fan.run(fanOutWidthMax, func(int) {
		together.Done()
		together.Wait()
	})
}

func TestFanOutOfNothing(t *testing.T) {
	newFanOut(1).run(0, func(int) { t.Error("a part of nothing ran") })
}
