package settle

import (
	"context"
	"errors"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/record"
)

const (
	// recordsStepMax bounds the records that a step looks at in a partition.
	recordsStepMax = 4096
	// walkEveryMillis is the time between two walks of a partition's records: a record is kept that much longer at most.
	walkEveryMillis = 120_000
)

// records walks a stretch of a partition's records. Those that ended long ago go; one that has been pending for too long, of
// which maybe no lock is left, is ended.
func (j *Job) records(ctx context.Context, partition uint64, r *replica.Replica) error {
	if has := r.State().Table; j.Empties && has != nil && has.State == table.Deleting {
		return j.empty(ctx, r)
	}
	if now := j.NowMillis(); j.afterRecord[partition] == nil {
		if at := j.walkAt[partition]; now < at && at-now <= walkEveryMillis {
			return nil
		}
		j.walkAt[partition] = now + walkEveryMillis
	}
	found, err := r.Transactions(j.afterRecord[partition], recordsStepMax)
	if err != nil {
		return err
	}
	j.afterRecord[partition] = nil
	if len(found) == recordsStepMax {
		j.afterRecord[partition] = found[len(found)-1].Suffix
	}
	state := r.State()
	forget := &command.Transaction{}
	var failed []error
	for i := range found {
		t := &found[i]
		switch {
		case t.State == record.Pending && j.old(t.Millis, machine.PendingMillisMax):
			verdict, err := j.Transactions.Settle(ctx, t.ID, command.Place{Table: state.Descriptor.Table, Suffix: t.Suffix})
			if failed = append(failed, err); err == nil && verdict.Refusal == command.Aborted {
				j.tell(verdict)
			}
		case t.State != record.Pending && j.old(t.Millis, machine.TokenMillis):
			err := j.finished(ctx, t)
			if failed = append(failed, err); err == nil {
				forget.Forgotten = append(forget.Forgotten, command.Forgotten{Suffix: t.Suffix, ID: t.ID})
			}
		}
	}
	return errors.Join(append(failed, j.forget(ctx, r, forget))...)
}

// empty settles the transactions that begin in a partition of a DELETING table, in which no other one begins, and lets their
// records go.
func (j *Job) empty(ctx context.Context, r *replica.Replica) error {
	found, err := r.Transactions(nil, recordsStepMax)
	if err != nil {
		return err
	}
	tableID := r.State().Descriptor.Table
	forget := &command.Transaction{}
	var failed []error
	for i := range found {
		t := &found[i]
		ended, err := j.ended(ctx, tableID, t)
		if failed = append(failed, err); ended && err == nil {
			forget.Forgotten = append(forget.Forgotten, command.Forgotten{Suffix: t.Suffix, ID: t.ID})
		}
	}
	return errors.Join(append(failed, j.forget(ctx, r, forget))...)
}

// forget lets records go, if there are any.
func (j *Job) forget(ctx context.Context, r *replica.Replica, records *command.Transaction) error {
	if len(records.Forgotten) == 0 {
		return nil
	}
	_, err := r.WriteAndWait(ctx, j.Wait, &command.Command{
		Action: command.Forget, Table: r.State().Descriptor.Table, Transaction: records,
	})
	return err
}

// Table settles every transaction that begins in a table's partitions, none of which lets another one begin, wherever it
// took part. It tells whether all are: then the records may go.
func (j *Job) Table(ctx context.Context, partitions []catalog.Partition) (settled bool, err error) {
	for _, p := range partitions {
		r, ok := j.Host.Led(p.ID)
		if !ok {
			continue
		}
		var after []byte
		for {
			found, err := r.Transactions(after, recordsStepMax)
			if err != nil {
				return false, err
			}
			for i := range found {
				t := &found[i]
				if settled, err := j.ended(ctx, r.State().Descriptor.Table, t); err != nil || !settled {
					return false, err
				}
				after = t.Suffix
			}
			if len(found) < recordsStepMax {
				break
			}
		}
	}
	return true, nil
}

// ended tells whether a transaction is over, everywhere.
func (j *Job) ended(ctx context.Context, tableID uint64, t *replica.Transaction) (bool, error) {
	if t.State == record.Pending {
		verdict, err := j.Transactions.Settle(ctx, t.ID, command.Place{Table: tableID, Suffix: t.Suffix})
		if err != nil || verdict.Refusal == command.Running {
			return false, err
		}
		if verdict.Refusal == command.Completed {
			t.State, t.Version = record.Committed, verdict.Version
		} else {
			t.State = record.Aborted
		}
	}
	return true, j.finished(ctx, t)
}
