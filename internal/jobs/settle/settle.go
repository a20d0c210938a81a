// Package settle brings transactions to their end whose coordinator died, and lets the records of all go in time. What
// becomes of a transaction it does not decide: it asks the record.
package settle

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/record"
)

const (
	// askAfterMillis is how old a lock is before its record is asked: most transactions are over by then.
	askAfterMillis = 2_000
	// locksStepMax bounds the locks that a step looks at in a partition.
	locksStepMax = 1024
)

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
}

// Transactions ends transactions.
type Transactions interface {
	// Settle tells what became of a transaction, having aborted one that nobody brings forward any more.
	Settle(ctx context.Context, id command.TransactionID, at command.Place) (command.Result, error)
	// Finish applies a transaction to items with its version, or takes back what is pending there if that is 0.
	Finish(ctx context.Context, id command.TransactionID, version uint64, items []command.Place) error
}

// Job is the settling of transactions.
type Job struct {
	Catalog      *catalog.Catalog
	Host         Host
	Transactions Transactions
	Wait         replica.Wait
	NowMillis    func() int64
	// Empties has the records of a DELETING table go as soon as they are settled, so that its partitions can report that
	// they keep none: where several nodes lead them, no one of these can look at all.
	Empties bool
	// Settled is told of every transaction that was ended, in one partition, because its coordinator had not: committed or
	// aborted. nil is nobody.
	Settled func(committed bool)

	// afterLock and afterRecord are where the walks of a partition go on, walkAt when a new walk of its records begins.
	afterLock, afterRecord map[uint64][]byte
	walkAt                 map[uint64]int64
}

// Step settles what is overdue: the locks of partitions that have some, and a stretch of the records of every partition.
func (j *Job) Step(ctx context.Context) error {
	if j.afterLock == nil {
		j.afterLock, j.afterRecord, j.walkAt = map[uint64][]byte{}, map[uint64][]byte{}, map[uint64]int64{}
	}
	var failed []error
	for _, entry := range j.Catalog.Entries() {
		for _, p := range entry.Partitions[entry.Table.ID] {
			r, ok := j.Host.Led(p.ID)
			if !ok {
				continue
			}
			if err := errors.Join(j.locks(ctx, p.ID, r), j.records(ctx, p.ID, r)); err != nil {
				failed = append(failed, fmt.Errorf("settling transactions in partition %d: %w", p.ID, err))
			}
		}
	}
	return errors.Join(failed...)
}

// holder is a transaction with the items of a partition that it has locked.
type holder struct {
	id     command.TransactionID
	record command.Place
	items  []command.Place
}

// locks settles the transactions whose locks have been in a partition for too long.
func (j *Job) locks(ctx context.Context, partition uint64, r *replica.Replica) error {
	state := r.State()
	if state.Applied.Locks == 0 {
		delete(j.afterLock, partition)
		return nil
	}
	locks, err := r.Locks(j.afterLock[partition], locksStepMax)
	if err != nil {
		return err
	}
	j.afterLock[partition] = nil
	if len(locks) == locksStepMax {
		j.afterLock[partition] = locks[len(locks)-1].Suffix
	}
	var failed []error
	for _, h := range holders(state.Descriptor.Table, locks, func(millis int64) bool { return j.old(millis, askAfterMillis) }) {
		failed = append(failed, j.settle(ctx, h))
	}
	return errors.Join(failed...)
}

// old tells whether a moment is longer ago than some milliseconds, or as far ahead of a clock that was set back.
func (j *Job) old(millis, bound int64) bool {
	age := j.NowMillis() - millis
	return age > bound || age < -bound
}

// holders gathers old locks by their transaction, in the order of the first one's key.
func holders(tableID uint64, locks []replica.Lock, old func(millis int64) bool) []*holder {
	var list []*holder
	byID := map[command.TransactionID]*holder{}
	for i := range locks {
		l := &locks[i]
		if !old(l.Millis) {
			continue
		}
		h := byID[l.ID]
		if h == nil {
			h = &holder{id: l.ID, record: command.Place{Table: l.Table, Suffix: l.Lock.Suffix}}
			byID[l.ID] = h
			list = append(list, h)
		}
		h.items = append(h.items, command.Place{Table: tableID, Suffix: l.Suffix})
	}
	return list
}

// settle asks a transaction's record, and does with its items what it says.
func (j *Job) settle(ctx context.Context, h *holder) error {
	verdict, err := j.Transactions.Settle(ctx, h.id, h.record)
	if err != nil || verdict.Refusal == command.Running {
		return err
	}
	if err := j.Transactions.Finish(ctx, h.id, verdict.Version, h.items); err != nil {
		return err
	}
	j.tell(verdict)
	return nil
}

func (j *Job) tell(verdict command.Result) {
	if j.Settled != nil {
		j.Settled(verdict.Refusal == command.Completed)
	}
}

// finished sees to it that a committed transaction is applied wherever it took part.
func (j *Job) finished(ctx context.Context, t *replica.Transaction) error {
	if t.State != record.Committed {
		return nil // without its record a transaction is aborted, too
	}
	var left []command.Place
	for _, p := range t.Participants {
		if !j.free(p.Table, p.Suffix) {
			left = append(left, command.Place(p))
		}
	}
	if len(left) == 0 {
		return nil
	}
	return j.Transactions.Finish(ctx, t.ID, t.Version, left)
}

// free tells whether the partition of an item is led here and has no locks at all. Of a table that is not known here it cannot tell.
func (j *Job) free(tableID uint64, suffix []byte) bool {
	p := catalog.Holding(j.Catalog.Partitions(tableID), suffix)
	if p == nil {
		return false
	}
	r, ok := j.Host.Led(p.ID)
	if !ok {
		return false
	}
	state := r.State()
	return state.Descriptor.Bounds.Holds(suffix) && state.Applied.Locks == 0
}
