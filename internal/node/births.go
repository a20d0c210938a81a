package node

import (
	"maps"
	"slices"
	"sync"
	"time"

	"stator/internal/partition/multiraft"
)

// A group that did not start is tried again after bornAgainMin, and then after twice as long each time, to bornAgainMax.
const (
	bornAgainMin = retryAfter
	bornAgainMax = 30 * time.Second
)

// births are groups that can be opened here since a split or a snapshot.
type births struct {
	some    signal
	mu      sync.Mutex // guards what follows
	waiting map[uint64]bool
	// stuck are those that did not start, with how long each waits for its next try.
	stuck map[uint64]time.Duration
}

func newBirths() births {
	return births{some: newSignal(), waiting: map[uint64]bool{}, stuck: map[uint64]time.Duration{}}
}

// add is called by a worker, which must not wait.
func (b *births) add(group uint64) {
	b.mu.Lock()
	b.waiting[group] = true
	b.mu.Unlock()
	b.some.raise()
}

func (b *births) any() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) > 0
}

func (b *births) take() (group uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return 0, false
	}
	group = slices.Min(slices.Collect(maps.Keys(b.waiting)))
	delete(b.waiting, group)
	return group, true
}

// failed takes note of a group that did not start. It tells how long to wait before another try, and whether this was its first.
func (b *births) failed(group uint64) (wait time.Duration, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, again := b.stuck[group]
	wait = min(max(bornAgainMin, 2*before), bornAgainMax)
	b.stuck[group] = wait
	return wait, !again
}

// over takes note of a group that needs no more tries, and tells whether it had needed some.
func (b *births) over(group uint64) (wasStuck bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, wasStuck = b.stuck[group]
	delete(b.stuck, group)
	return wasStuck
}

func (b *births) stuckNow() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.stuck)
}

// born opens one of them. One that does not start is tried again until it does, or was taken off this node: nobody else would
// open it before the node's next start, and its group may need it for a majority.
func (c *cluster) born() (more bool) {
	group, ok := c.births.take()
	if !ok {
		return false
	}
	err := c.node.host.Start(group)
	if err != nil && c.here(group) {
		c.bearAgain(group, err)
	} else if c.births.over(group) && err == nil {
		c.node.options.Log.Info("a partition that did not start has started", "partition", group)
	}
	return true
}

// bearAgain has a group opened again later.
func (c *cluster) bearAgain(group uint64, cause error) {
	wait, first := c.births.failed(group)
	if first {
		c.node.options.Log.Error("a partition that came to this node does not start and will be tried again: if it is not said to have started before long, see to the disk, then start the node anew",
			"partition", group, "error", cause)
	}
	c.node.options.After(wait, func() { c.births.add(group) })
}

// here tells whether the store holds a replica of a group, also where it cannot be read.
func (c *cluster) here(group uint64) bool {
	there, err := multiraft.Hosted(c.node.engine, group)
	return there || err != nil
}
