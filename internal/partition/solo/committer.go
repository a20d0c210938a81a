package solo

import (
	"fmt"
	"sync"

	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// commitBytesMax ends one engine commit; what waits beyond it goes into the next.
const commitBytesMax = 16 << 20

// Committer makes the batches of all of a node's partitions durable: all that wait share one engine commit and one sync.
// Its queue is bounded by the replicas', which keep at most a few batches under way each.
type Committer struct {
	engine *engine.Engine
	synced bool
	wake   func()

	mu      sync.Mutex
	waiting []entry
	failed  error
}

type entry struct {
	log   *Log
	batch machine.Batch
	done  func(replica.Outcome)
}

// NewCommitter returns a committer over e. Unsynced, a batch counts as performed once the engine has it in memory: the
// owner calls e.Sync often enough for the loss it promised. wake asks for a Step soon.
func NewCommitter(e *engine.Engine, synced bool, wake func()) *Committer {
	return &Committer{engine: e, synced: synced, wake: wake}
}

func (c *Committer) add(e entry) {
	c.mu.Lock()
	failed := c.failed
	if failed == nil {
		c.waiting = append(c.waiting, e)
	}
	c.mu.Unlock()
	if failed != nil {
		e.done(replica.Rejected)
		return
	}
	c.wake()
}

// Step commits what waits and returns whether there was anything. After a failed commit nothing is performed any more:
// what the engine then holds is not known.
func (c *Committer) Step() bool {
	entries := c.take()
	if len(entries) == 0 {
		return false
	}
	if err := c.commit(entries); err != nil {
		c.fail(entries, err)
		return false
	}
	for i := range entries {
		e := &entries[i]
		e.log.copy.Performed(e.batch, e.batch.After)
		e.done(replica.Performed)
	}
	return true
}

func (c *Committer) take() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	for n < len(c.waiting) && bytes < commitBytesMax {
		for _, w := range c.waiting[n].batch.Writes {
			bytes += len(w.Key) + len(w.Value)
		}
		n++
	}
	taken := c.waiting[:n:n]
	if n == len(c.waiting) {
		c.waiting = nil
	} else {
		c.waiting = c.waiting[n:]
	}
	return taken
}

func (c *Committer) commit(entries []entry) error {
	batch := c.engine.NewBatch()
	defer batch.Close()
	for i := range entries {
		fill(batch, &entries[i].batch)
	}
	return c.engine.Commit(batch, c.synced)
}

// fill adds a decided batch: ranges go first, so that what the same batch writes stays.
func fill(to *engine.Batch, b *machine.Batch) {
	for _, r := range b.Ranges {
		to.DeleteRange(r.Lower, r.Upper)
	}
	for _, w := range b.Writes {
		if w.Value == nil {
			to.Delete(w.Key)
		} else {
			to.Set(w.Key, w.Value)
		}
	}
}

// fail answers that nobody knows: the engine may or may not hold the batches after a restart.
func (c *Committer) fail(entries []entry, err error) {
	c.mu.Lock()
	c.failed = err
	entries = append(entries, c.waiting...)
	c.waiting = nil
	c.mu.Unlock()
	for _, e := range entries {
		e.done(replica.Ambiguous)
	}
}

// Failed is the error that ended this committer, nil while it lives.
func (c *Committer) Failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Birth makes new partitions durable, outside any log: they have none yet.
func Birth(e *engine.Engine, parts []machine.Part, synced bool) error {
	batch := e.NewBatch()
	defer batch.Close()
	for _, p := range parts {
		fill(batch, &machine.Batch{Writes: p.Writes()})
	}
	if err := e.Commit(batch, synced); err != nil {
		return fmt.Errorf("giving birth to %d partitions: %w", len(parts), err)
	}
	return nil
}
