package txn

import (
	"context"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// A request that comes again while it is still under way gets some rounds to see it end, long enough for machine.RetriedMillisMax to pass.
const (
	againRoundsMax = 11
	againPause     = machine.RetriedMillisMax / 10 * time.Millisecond
)

// again is what comes of a request, known by its token, that met itself: an earlier attempt that is under way or left locks behind, or a
// later one that took this one for dead. Once the other is over, it is tried once more, or told what the other has done.
func (t *transaction) again(ctx context.Context, outcome Outcome) (Outcome, error) {
	over := true
	var err error
	switch outcome.Refusal {
	case command.Running:
		over, err = t.outlive(ctx)
	case command.Cancelled:
		over, err = t.unlock(ctx, outcome.Results)
	case command.Aborted:
	default:
		return outcome, nil
	}
	if err != nil || !over {
		return outcome, err
	}
	next, err := t.newTransaction(t.Request)
	if err != nil {
		return outcome, err
	}
	return next.run(ctx)
}

// outlive sees an earlier attempt to its end, which is an abort if nobody brings it forward, and takes back what that left locked.
func (t *transaction) outlive(ctx context.Context) (over bool, err error) {
	held := t.earlier.Held
	if held == nil {
		return false, nil // a node of an older release does not say whose it is
	}
	for range againRoundsMax {
		if err := t.options.Pause(ctx, againPause); err != nil {
			return false, err
		}
		verdict, err := t.settle(ctx, &command.Transaction{ID: held.ID, Record: held.Record, Hash: t.Hash})
		switch {
		case err != nil:
			return false, err
		case verdict.Refusal == command.Aborted:
			return true, t.Finish(ctx, held.ID, 0, t.earlier.Participants)
		case verdict.Refusal != command.Running:
			return true, nil
		}
	}
	return false, nil
}

// unlock takes back what an attempt has locked whose record never began: it cannot any more, now that this one's was there. It tells
// whether there was such a lock.
func (t *transaction) unlock(ctx context.Context, results []command.Result) (found bool, err error) {
	for i := range results {
		held := results[i].Held
		if held == nil || held.Record.Table != t.record.Table || string(held.Record.Suffix) != string(t.record.Suffix) {
			continue
		}
		verdict, err := t.Settle(ctx, held.ID, t.record)
		if err != nil || verdict.Refusal != command.Aborted {
			return false, err
		}
		item := command.Place{Table: t.keys[i].Table, Suffix: t.keys[i].Suffix}
		if err := t.Finish(ctx, held.ID, 0, []command.Place{item}); err != nil {
			return false, err
		}
		found = true
	}
	return found, nil
}
