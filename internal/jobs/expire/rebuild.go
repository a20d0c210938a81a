package expire

import (
	"context"
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Bounds of the rebuilding in one step: what it reads, over all partitions, and how many items one command enters, since
// a decision looks at each of them while clients' writes wait.
const (
	readsPerStepMax = 2048
	commandItemsMax = 256
	// readBytes of items count as a read if they are fewer, and a page as readsPerPageMin at least: its command is synced.
	readBytes       = 512
	readsPerPageMin = 32
)

// build moves the rebuilding of a partition's index on, as far as reads are left, and says when to go on.
func (j *Job) build(ctx context.Context, v *visit, next place, reads *int) (place, error) {
	now := uint64(max(0, j.NowMillis()/1000))
	if *reads <= 0 {
		next.at = now
		return next, nil
	}
	read, more, err := j.rebuild(ctx, v.replica, *reads)
	*reads -= read
	switch {
	case err == nil && more:
		next.at = now
	case err != nil:
		next.at = min(next.at, now+againSeconds)
	}
	if passing(err) {
		err = nil
	}
	return next, err
}

// rebuild reads the next page of a partition's items and has those that expire entered in its index. A write that comes
// in between is no harm: the command enters items as they are when it is decided. more tells that the index is not whole
// yet.
func (j *Job) rebuild(ctx context.Context, r *replica.Replica, limit int) (read int, more bool, err error) {
	state := r.State()
	if state.Expiry == nil {
		return 0, false, nil
	}
	page, err := j.page(ctx, r, &state, limit)
	if err == nil {
		err = j.enter(ctx, r, &state, page)
	}
	read = max(readsPerPageMin, len(page.Entries), int(page.Bytes/readBytes))
	if err != nil {
		return read, true, fmt.Errorf("rebuilding the index of expiry of partition %d: %w", state.Descriptor.Partition, err)
	}
	return read, r.State().Expiry != nil, nil
}

// page reads the items behind those that are entered.
func (j *Job) page(ctx context.Context, r *replica.Replica, state *machine.Part, limit int) (command.Page, error) {
	bounds := state.Descriptor.Bounds
	lower := bounds.Lower
	if after := state.Expiry.After; len(after) > 0 {
		if next := append(append([]byte(nil), after...), 0); string(next) > string(lower) {
			lower = next
		}
	}
	if !bounds.Holds(lower) {
		return command.Page{Reason: command.Done}, nil // a split has given away what was left
	}
	return r.ScanAndWait(ctx, j.Wait, &command.Plan{
		Table: state.Descriptor.Table, TableVersion: state.Table.Version, Lower: lower, Upper: bounds.Upper,
		Limit: limit, Bytes: int64(limit) * readBytes, Strong: true, Raw: true,
	})
}

// enter has the items of a page entered, some at a time. Each command saves how far it came, under the generation in
// which the page was read.
func (j *Job) enter(ctx context.Context, r *replica.Replica, state *machine.Part, page command.Page) error {
	last := page.Reason != command.Budget && page.Reason != command.Limit
	c := command.Command{Action: command.Rebuild, Backfill: *state.Expiry, Generation: state.Descriptor.Generation}
	for i, item := range page.Entries {
		if _, ok := state.Table.Expiry(item.Item); ok {
			c.Entries = append(c.Entries, command.Entry{Key: item.Key})
		}
		c.Backfill.After = item.Key
		c.Backfill.Items++
		if len(c.Entries) < commandItemsMax || i == len(page.Entries)-1 {
			continue
		}
		if err := j.save(ctx, r, c); err != nil {
			return err
		}
		c.Entries = nil
	}
	c.Backfill.Done = last
	return j.save(ctx, r, c)
}

// save takes the command by value: its caller goes on with its own.
func (j *Job) save(ctx context.Context, r *replica.Replica, c command.Command) error {
	_, err := r.WriteAndWait(ctx, j.Wait, &c)
	return err
}
