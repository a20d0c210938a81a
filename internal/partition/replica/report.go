package replica

import (
	"context"
	"fmt"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/record"
)

// Leads tells whether this copy decides, else the node of the one that does as far as it knows, 0 if it does not.
func (r *Replica) Leads() (leading bool, hint uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leading, r.hint
}

// Confirm waits until whatever was answered before is seen here, and refuses where another copy leads.
func (r *Replica) Confirm(ctx context.Context, wait Wait) (failed error) {
	r.blocking(ctx, wait)(func(err error) { failed = err })
	if failed != nil {
		return &command.Rejected{Cause: failed}
	}
	if leading, hint := r.Leads(); !leading {
		return &command.NotLeader{Hint: hint}
	}
	return nil
}

// ChangesAndWait reads the change log as it is, for a caller that may block. The page's shard says where the log begins and
// ends.
func (r *Replica) ChangesAndWait(ctx context.Context, wait Wait, p command.ChangesPlan) (command.LogPage, error) {
	if p.Strong {
		if err := r.Confirm(ctx, wait); err != nil {
			return command.LogPage{}, err
		}
	}
	r.mu.Lock()
	applied, broken := r.performed.Applied, r.broken
	r.mu.Unlock()
	if broken != nil {
		return command.LogPage{}, &command.Rejected{Cause: broken}
	}
	page := command.LogPage{Shard: command.Shard{First: applied.First, Last: applied.Sequence, Open: true}}
	changes, err := r.Changes(p.After, p.Bytes)
	if trimmed(err) {
		page.Trimmed = true
		return page, nil
	}
	page.Changes = changes
	return page, err
}

// ReportAndWait says what this partition is and holds, if this copy leads, for a caller that may block.
func (r *Replica) ReportAndWait(ctx context.Context, wait Wait) (command.Report, error) {
	if err := r.Confirm(ctx, wait); err != nil {
		return command.Report{}, err
	}
	state := r.State()
	report := command.Report{
		Partition: state.Descriptor.Partition, Generation: state.Descriptor.Generation, Bounds: state.Descriptor.Bounds,
		Members: state.Descriptor.Members, Stats: state.Applied.Stats, Backfills: state.Backfills, Unfed: state.Unfed(), UnfedBytes: state.Applied.UnfedBytes,
	}
	if state.Table == nil {
		return report, nil
	}
	report.Version = state.Table.Version
	if report.Unfed > 0 {
		next, err := r.Changes(state.Cursor(command.IndexConsumer), 1)
		if trimmed(err) {
			return report, &command.Rejected{Cause: err} // the feeding went on meanwhile: the next look tells
		}
		if err != nil {
			return report, err
		}
		report.OldestUnfed = oldest(next)
	}
	if state.Table.State == table.Deleting {
		kept, err := r.Transactions(nil, 1)
		if err != nil {
			return report, fmt.Errorf("reporting on partition %d: %w", report.Partition, err)
		}
		report.Unsettled = len(kept) > 0
	}
	return report, nil
}

func oldest(changes []record.Change) uint64 {
	if len(changes) == 0 {
		return 0
	}
	return changes[0].Version
}
