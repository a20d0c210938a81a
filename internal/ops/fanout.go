package ops

import (
	"sync"
	"sync/atomic"
)

// fanOutWorkersMax bounds the goroutines that all batches under way use together; fanOutWidthMax those of one batch. A batch of writes
// is at most as wide, so that all of it shares one group commit.
const (
	fanOutWorkersMax = 1024
	fanOutWidthMax   = 25
)

// fanOut runs the parts of a batch side by side. Its workers are counted over all requests: a batch that finds none free does its work in
// its own goroutine, one part after the other, instead of waiting for some or starting more.
type fanOut struct {
	free chan struct{}
}

func newFanOut(workersMax int) *fanOut {
	return &fanOut{free: make(chan struct{}, workersMax)}
}

// run calls part(0) … part(n-1), each once, and returns when all have. Which of them run side by side is left open.
func (f *fanOut) run(n int, part func(i int)) {
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			part(i)
		}
	}
	var workers sync.WaitGroup
	for range min(n, fanOutWidthMax) - 1 {
		select {
		case f.free <- struct{}{}:
			workers.Go(func() {
				defer func() { <-f.free }()
				work()
			})
			continue
		default:
		}
		break
	}
	work()
	workers.Wait()
}
