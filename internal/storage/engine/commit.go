package engine

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Batch is a list of writes that happen together or not at all. It is used by one goroutine.
type Batch struct{ b *pebble.Batch }

// batchRetainedBytes is the largest buffer that a batch leaves to the next: the batches of 64 clients that write 25 items of 1 KB
// each need two megabytes at once. A fresh buffer of that size is memory that the system has to provide page by page.
const batchRetainedBytes = 4 << 20

// NewBatch gives an empty batch. Close it when it is done with, committed or not.
func (e *Engine) NewBatch() *Batch {
	return &Batch{b: e.db.NewBatch(pebble.WithMaxRetainedSizeBytes(batchRetainedBytes))}
}

// Set writes a key. Key and value are copied.
func (b *Batch) Set(key, value []byte) { misused(b.b.Set(key, value, nil)) }

// Delete removes a key, present or not.
func (b *Batch) Delete(key []byte) { misused(b.b.Delete(key, nil)) }

// DeleteRange removes the keys of [lower, upper), including those the batch has set before.
func (b *Batch) DeleteRange(lower, upper []byte) { misused(b.b.DeleteRange(lower, upper, nil)) }

// Len is the size of the batch's writes in bytes; Count is how many there are.
func (b *Batch) Len() int { return b.b.Len() }

// Count is how many writes the batch holds; a DeleteRange is one.
func (b *Batch) Count() int { return int(b.b.Count()) }

// Empty tells whether there is nothing to commit.
func (b *Batch) Empty() bool { return b.b.Empty() }

// Reset makes the batch empty, and one that was committed ready for other writes.
func (b *Batch) Reset() { b.b.Reset() }

// Close releases the batch. After CommitNoWait it may be called only once wait has returned.
func (b *Batch) Close() { misused(b.b.Close()) }

// misused holds what Pebble's batch reports as errors to be what they are: misuse of a batch by its owner.
func misused(err error) {
	if err != nil {
		panic(fmt.Sprintf("engine: misuse of a batch: %v", err))
	}
}

// Commit performs the batch: readers see all of it from now on. With sync it returns when the batch and all that was
// committed before it are on disk; without, a crash of the machine may lose it (of the process, too: Pebble writes its log
// behind). A volatile store syncs nothing. An empty batch is nothing and syncs nothing. The error of a store that was not opened to be read only is an *ErrBroken.
func (e *Engine) Commit(b *Batch, sync bool) error {
	if sync && !e.volatile {
		return e.CommitNoWait(b)()
	}
	if err := e.writable(); err != nil {
		return err
	}
	err := e.apply(b, func() error { return e.db.Apply(b.b, pebble.NoSync) })
	if err != nil {
		return err
	}
	return e.Broken()
}

// CommitNoWait performs the batch and lets the caller go on while it is brought to disk: wait, called once, returns
// when that is done, or failed. READERS SEE THE BATCH BEFORE IT IS DURABLE. Batches become durable in the order of their commits.
//
// Commits with sync always come this way: Pebble's Apply would meet a failed sync with Fatalf and then return as if all
// were well, while ApplyNoSyncWait hands the error over.
func (e *Engine) CommitNoWait(b *Batch) (wait func() error) {
	if e.volatile {
		err := e.Commit(b, false)
		return func() error { return err }
	}
	if err := e.writable(); err != nil {
		return func() error { return err }
	}
	if b.b.Empty() {
		return func() error { return nil }
	}
	if err := e.apply(b, func() error { return e.db.ApplyNoSyncWait(b.b, pebble.Sync) }); err != nil {
		return func() error { return err }
	}
	return func() error {
		if err := b.b.SyncWait(); err != nil {
			return e.fail(fmt.Errorf("syncing the store's log: %w", err))
		}
		return nil
	}
}

// Sync brings everything committed so far to disk: the heartbeat of relaxed durability.
func (e *Engine) Sync() error {
	if e.volatile {
		return e.Broken()
	}
	b := e.NewBatch()
	misused(b.b.LogData(nil, nil))
	if err := e.Commit(b, true); err != nil {
		return err
	}
	b.Close()
	return nil
}

// writable is nil, or why a commit is refused before it is begun.
func (e *Engine) writable() error {
	if e.readOnly {
		return fmt.Errorf("committing to %s: it was opened to be read only", e.layout.dir)
	}
	return e.Broken()
}

// apply has commit perform the batch, and rows and space follow it. What the batch holds is asked for before: one that is too
// large for a memtable Pebble keeps for itself, and leaves its owner an empty one.
func (e *Engine) apply(b *Batch, commit func() error) error {
	written := b.b.Repr()
	if err := recovered(commit); err != nil {
		return e.fail(fmt.Errorf("writing the store's log: %w", err))
	}
	e.rows.applied(written)
	e.space.spend(len(written))
	return nil
}

// recovered turns the panics with which Pebble answers a log it cannot write into errors. (One that it cannot rotate it answers
// with a panic that nobody can recover from: rotationFS is there before it.) Panics with anything but an error speak of
// misuse and go on.
func recovered(commit func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			panic(r)
		}
	}()
	return commit()
}
