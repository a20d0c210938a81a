package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"stator/internal/base/limiter"
	"stator/internal/partition/command"
)

// feedWorkers is how many partitions' changes are fed to indexes side by side.
const feedWorkers = 2

// feeds are the partitions with changes that indexes have not seen.
type feeds struct {
	mu      sync.Mutex
	waiting []uint64
	// busy maps a partition that waits, rests or is fed to whether it has to be fed once more.
	busy map[uint64]bool
	some signal
	// failing is that changes could not be fed.
	failing limiter.Seldom
}

func newFeeds() *feeds { return &feeds{busy: map[uint64]bool{}, some: newSignal()} }

func (f *feeds) add(partition uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, busy := f.busy[partition]; busy {
		f.busy[partition] = true
		return
	}
	f.busy[partition] = false
	f.waiting = append(f.waiting, partition)
	f.some.raise()
}

func (f *feeds) next() (uint64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		return 0, false
	}
	id := f.waiting[0]
	f.waiting = f.waiting[1:]
	f.busy[id] = false
	if len(f.waiting) > 0 {
		f.some.raise()
	}
	return id, true
}

func (f *feeds) empty() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.busy) == 0
}

func (f *feeds) done(partition uint64, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if more || f.busy[partition] {
		f.busy[partition] = false
		f.waiting = append(f.waiting, partition)
		f.some.raise()
		return
	}
	delete(f.busy, partition)
}

// feed brings changes of partitions to indexes, one partition at a time.
func (n *Node) feed(ctx context.Context) error {
	for ctx.Err() == nil && n.feedNext(ctx) {
		continue
	}
	return nil
}

// feedNext feeds the next changes of one partition, and tells whether there was one that waits for it.
func (n *Node) feedNext(ctx context.Context) bool {
	id, ok := n.feeds.next()
	if !ok {
		return false
	}
	if more, busy := n.feedOne(ctx, id); busy {
		n.options.After(feedRest, func() { n.feeds.done(id, true) })
	} else {
		n.feeds.done(id, more)
	}
	return true
}

// feedOne tells whether there may be more, or an index is too busy for what there is.
func (n *Node) feedOne(ctx context.Context, id uint64) (more, busy bool) {
	r, ok := n.host.Led(id)
	if !ok {
		return false, false
	}
	more, err := n.jobs.propagate.Step(ctx, r)
	if err == nil || ctx.Err() != nil {
		return more && ctx.Err() == nil, false
	}
	if _, busy := errors.AsType[*command.BeyondBound](err); busy {
		return true, true
	}
	if _, still := n.host.Led(id); !still {
		return false, false
	}
	n.complain(&n.feeds.failing, slog.LevelError, "feeding indexes failed and will be tried again", "partition", id, "error", err)
	_ = n.options.Pause(ctx, retryAfter)
	return true, false
}
