package solo

import (
	"cmp"
	"errors"
	"fmt"
	"sync"

	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// commitBytesMax ends one engine commit; what waits beyond it goes into the next.
const commitBytesMax = 16 << 20

// Committer makes the batches of all of a node's partitions durable: all that wait share one engine commit and one sync.
// It has two steps for one caller: Step performs what waits, Settle answers what has become durable. In between the disk
// works, and what comes gathers: a commit made earlier would be synced no earlier, and be smaller.
// Its queue is bounded by the replicas', which keep at most a few batches under way each.
type Committer struct {
	engine *engine.Engine
	synced bool
	wake   func()

	// under is the commit on its way to the disk, without entries if there is none. It is the caller's of the steps, as is
	// the batch that all commits use, one after the other.
	under commit
	batch *engine.Batch
	// draining is held by who drains.
	draining sync.Mutex

	mu      sync.Mutex
	waiting []entry
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
	wait    func() error
}

// NewCommitter returns a committer over e. Unsynced, a batch counts as performed once the engine has it in memory: the
// owner calls e.Sync often enough for the loss it promised. wake asks for a Step soon, and a Settle after it.
func NewCommitter(e *engine.Engine, synced bool, wake func()) *Committer {
	return &Committer{engine: e, synced: synced, wake: wake, batch: e.NewBatch()}
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

// Waiting is how many batches wait for a Step.
func (c *Committer) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

// Step commits what waits and returns whether there was anything it could commit: nothing is while a commit waits for Settle.
func (c *Committer) Step() bool {
	if len(c.under.entries) > 0 {
		return false
	}
	entries := c.take()
	if len(entries) == 0 {
		return false
	}
	c.batch.Reset()
	for i := range entries {
		entries[i].batch.Fill(c.batch)
	}
	c.under = commit{entries: entries}
	if c.synced {
		c.under.wait = c.engine.CommitNoWait(c.batch)
	} else {
		err := c.engine.Commit(c.batch, false)
		c.under.wait = func() error { return err }
	}
	return true
}

// Drain makes both steps, unless somebody does just now: then that one goes on with what waits. It returns whether there is more. All
// steps are Drain's then, and Close's.
func (c *Committer) Drain() (more bool) {
	if !c.draining.TryLock() {
		return false
	}
	c.Step()
	c.Settle()
	c.draining.Unlock()
	return c.Waiting() > 0
}

// Close makes both steps until nothing waits. What comes later is rejected.
func (c *Committer) Close() {
	c.draining.Lock()
	defer c.draining.Unlock()
	for c.Step() || c.Settle() {
		continue
	}
	reject(c.end(errClosed))
}

var errClosed = errors.New("the store is closed")

// take cuts one commit's worth off the queue.
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

// Settle waits until the commit under way is durable, then answers it; it returns whether there was one. After a failed
// commit nothing is performed any more: what the engine then holds is not known.
func (c *Committer) Settle() bool {
	done := c.under
	if len(done.entries) == 0 {
		return false
	}
	c.under = commit{}
	if err := done.wait(); err != nil {
		c.fail(done.entries, err)
		return true
	}
	for i := range done.entries {
		e := &done.entries[i]
		e.log.copy.Performed(e.batch, e.batch.After)
		e.done(replica.Performed)
	}
	return true
}

// fail answers that nobody knows: the engine may or may not hold the batches after a restart. What still waits never
// reached it.
func (c *Committer) fail(entries []entry, err error) {
	waiting := c.end(err)
	for _, e := range entries {
		e.done(replica.Ambiguous)
	}
	reject(waiting)
}

// end takes no more batches, unless an error ended it before, and returns what waits.
func (c *Committer) end(err error) (waiting []entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = cmp.Or(c.failed, err)
	waiting, c.waiting = c.waiting, nil
	return waiting
}

func reject(entries []entry) {
	for _, e := range entries {
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
