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

// syncsMax is how many engine commits may wait for their sync: while the disk works, the next one is made, so that its
// sync takes along whatever gathered meanwhile.
const syncsMax = 4

// Committer makes the batches of all of a node's partitions durable: all that wait share one engine commit and one sync.
// It has two steps, each for one caller at a time: Step performs what waits, Settle answers what has become durable.
// Its queue is bounded by the replicas', which keep at most a few batches under way each.
type Committer struct {
	engine *engine.Engine
	synced bool
	wake   func()
	settle func()

	mu      sync.Mutex
	waiting []entry
	syncing []commit
	failed  error
}

type entry struct {
	log   *Log
	batch machine.Batch
	done  func(replica.Outcome)
}

// commit is one engine commit on its way to the disk.
type commit struct {
	entries []entry
	batch   *engine.Batch
	wait    func() error
}

// NewCommitter returns a committer over e. Unsynced, a batch counts as performed once the engine has it in memory: the
// owner calls e.Sync often enough for the loss it promised. wake asks for a Step soon, settle for a Settle.
func NewCommitter(e *engine.Engine, synced bool, wake, settle func()) *Committer {
	return &Committer{engine: e, synced: synced, wake: wake, settle: settle}
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

// Step commits what waits and returns whether there was anything it could commit.
func (c *Committer) Step() bool {
	entries := c.take()
	if len(entries) == 0 {
		return false
	}
	batch := c.engine.NewBatch()
	for i := range entries {
		entries[i].batch.Fill(batch)
	}
	made := commit{entries: entries, batch: batch}
	if c.synced {
		made.wait = c.engine.CommitNoWait(batch)
	} else {
		err := c.engine.Commit(batch, false)
		made.wait = func() error { return err }
	}
	c.mu.Lock()
	c.syncing = append(c.syncing, made)
	c.mu.Unlock()
	c.settle()
	return true
}

// take cuts one commit's worth off the queue, unless too many commits wait for the disk.
func (c *Committer) take() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.syncing) >= syncsMax {
		return nil
	}
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

// Settle waits until the oldest commit is durable, then answers it; it returns whether there was one. After a failed
// commit nothing is performed any more: what the engine then holds is not known.
func (c *Committer) Settle() bool {
	c.mu.Lock()
	if len(c.syncing) == 0 {
		c.mu.Unlock()
		return false
	}
	oldest := c.syncing[0]
	c.mu.Unlock()
	err := oldest.wait()
	if err == nil {
		oldest.batch.Close()
	}
	c.mu.Lock()
	c.syncing = c.syncing[1:]
	if c.failed == nil {
		c.failed = err
	}
	failed := c.failed
	c.mu.Unlock()
	c.wake()
	if failed != nil {
		c.fail(oldest.entries)
		return true
	}
	for i := range oldest.entries {
		e := &oldest.entries[i]
		e.log.copy.Performed(e.batch, e.batch.After)
		e.done(replica.Performed)
	}
	return true
}

// fail answers that nobody knows: the engine may or may not hold the batches after a restart. What still waits never
// reached it.
func (c *Committer) fail(entries []entry) {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, e := range entries {
		e.done(replica.Ambiguous)
	}
	for _, e := range waiting {
		e.done(replica.Rejected)
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
		born := machine.Batch{Writes: p.Writes()}
		born.Fill(batch)
	}
	if err := e.Commit(batch, synced); err != nil {
		return fmt.Errorf("giving birth to %d partitions: %w", len(parts), err)
	}
	return nil
}
