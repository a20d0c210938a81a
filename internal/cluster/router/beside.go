package router

import "sync"

// besideMax bounds the calls to other nodes that one request makes at the same time.
const besideMax = 64

// sideBySide makes n calls: those that go far at the same time, if the router may, and meanwhile the others one after the
// other.
func (r *Router) sideBySide(n int, far func(i int) bool, call func(i int)) {
	if n == 1 || r.options.FanOut < 2 || r.options.Cluster == nil {
		for i := range n {
			call(i)
		}
		return
	}
	places := make(chan struct{}, besideMax)
	var running sync.WaitGroup
	var near []int // far is asked once of each: a partition may come or go meanwhile
	for i := range n {
		if !far(i) {
			near = append(near, i)
			continue
		}
		places <- struct{}{}
		running.Go(func() {
			call(i)
			<-places
		})
	}
	for _, i := range near {
		call(i)
	}
	running.Wait()
}
