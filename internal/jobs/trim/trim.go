// Package trim removes what nobody can need any more: old tombstones of global indexes, old changes of streams. It knows
// no table's items.
package trim

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// tombstoneAgeMillis is how long a tombstone is kept at least: ten times the age at which a feed is refused.
const tombstoneAgeMillis = 600_000

// lookAgeMillis is how long ago it was seen that a change is fed before the tombstones that keep it out may go: whatever of it was sent
// before, to no avail as it seemed, is refused by then. A node's clock may be some seconds from another's.
const lookAgeMillis = 2 * machine.FeedAgeMillisMax

// stepBytesMax bounds what one step walks of an index.
const stepBytesMax = 4 << 20

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
}

// Leaders are asked about partitions that are led elsewhere.
type Leaders interface {
	// Reports fails when one of them has no leader now.
	Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
}

// Job is the removal of tombstones and changes.
type Job struct {
	Catalog   *catalog.Catalog
	Host      Host
	Wait      replica.Wait
	NowMillis func() int64
	// Leaders are those of other nodes; nil on one that is alone.
	Leaders Leaders
	// after is where the walk of a partition goes on.
	after map[uint64][]byte
	// looks are at what is fed of the tables of indexes.
	looks map[uint64]looks
}

// looks are two looks at what is fed to an index, each a version below which everything was: the last one that is old enough, and one that
// becomes so, made at a moment.
type looks struct {
	old, young  uint64
	youngMillis int64
}

// Step trims every stream, and walks a stretch of every index partition.
func (j *Job) Step(ctx context.Context) error {
	if j.after == nil {
		j.after, j.looks = map[uint64][]byte{}, map[uint64]looks{}
	}
	var failed []error
	looked := map[uint64]looks{}
	for _, entry := range j.Catalog.Entries() {
		if err := j.streams(ctx, entry); err != nil {
			failed = append(failed, fmt.Errorf("trimming streams of table %s: %w", entry.Table.Name, err))
		}
		for i := range entry.Table.Global {
			ix := &entry.Table.Global[i]
			if ix.Status != table.IndexActive {
				continue
			}
			if err := j.index(ctx, entry, ix); err != nil {
				failed = append(failed, fmt.Errorf("sweeping index %s of table %s: %w", ix.Name, entry.Table.Name, err))
			}
			looked[ix.ID] = j.looks[ix.ID]
		}
	}
	j.looks = looked // of indexes that are gone nothing is kept
	return errors.Join(failed...)
}

func (j *Job) index(ctx context.Context, entry *catalog.Entry, ix *table.Index) error {
	var led []*replica.Replica
	for _, p := range entry.Partitions[ix.ID] {
		if r, ok := j.Host.Led(p.ID); ok {
			led = append(led, r)
		}
	}
	if len(led) == 0 {
		return nil
	}
	limit, err := j.fedUpTo(ctx, entry)
	if err != nil || limit == 0 {
		return err
	}
	if limit = min(limit, j.seenBefore(ix.ID, limit)); limit == 0 {
		return nil
	}
	for _, r := range led {
		if err := j.partition(ctx, r, limit); err != nil {
			return err
		}
	}
	return nil
}

// seenBefore is what an earlier look found, so old that nothing of what it found fed can still be on its way: a change that could not be fed for
// long brings a tombstone that is old as it comes, and the same change may have been sent before. limit is what is found now.
func (j *Job) seenBefore(index, limit uint64) uint64 {
	now, l := j.NowMillis(), j.looks[index]
	switch age := now - l.youngMillis; {
	case l.young != 0 && age >= 0 && age < lookAgeMillis:
		return l.old
	case age >= 0:
		l.old = l.young
	}
	l.young, l.youngMillis = limit, now
	j.looks[index] = l
	return l.old
}

// fedUpTo is the version under which tombstones may go: old enough, and below everything that is not fed yet. The
// versions of a partition's log rise, and a change that comes after the look at it is younger than the age asked for. A
// change that a transaction applied may stand behind younger ones; its item was locked meanwhile, so that no tombstone of
// that item is younger.
func (j *Job) fedUpTo(ctx context.Context, entry *catalog.Entry) (uint64, error) {
	if len(entry.Splits) > 0 {
		return 0, nil // a partition that is not in the catalog yet may have changes that are not fed
	}
	limit := command.VersionAt(j.NowMillis() - tombstoneAgeMillis)
	var elsewhere []catalog.Partition
	for _, p := range entry.Partitions[entry.Table.ID] {
		r, ok := j.Host.Led(p.ID)
		if !ok {
			elsewhere = append(elsewhere, p)
			continue
		}
		state := r.State()
		next, err := r.Changes(state.Cursor(command.IndexConsumer), 1)
		var trimmed *command.Trimmed
		if errors.As(err, &trimmed) {
			return 0, nil // the feeding went on meanwhile
		}
		if err != nil {
			return 0, err
		}
		if len(next) > 0 {
			limit = min(limit, next[0].Version)
		}
	}
	if len(elsewhere) == 0 {
		return limit, nil
	}
	return j.fedElsewhere(ctx, elsewhere, limit)
}

// fedElsewhere is fedUpTo for partitions that are led elsewhere: nothing may go while one of them does not say.
func (j *Job) fedElsewhere(ctx context.Context, partitions []catalog.Partition, limit uint64) (uint64, error) {
	if j.Leaders == nil {
		return 0, nil
	}
	reports, err := j.Leaders.Reports(ctx, partitions)
	if err != nil {
		return 0, ctx.Err()
	}
	for i := range reports {
		if reports[i].OldestUnfed > 0 {
			limit = min(limit, reports[i].OldestUnfed)
		}
	}
	return limit, nil
}

func (j *Job) partition(ctx context.Context, r *replica.Replica, limit uint64) error {
	state := r.State()
	id := state.Descriptor.Partition
	if state.Table == nil {
		return nil
	}
	lower := state.Descriptor.Bounds.Lower
	if after := j.after[id]; state.Descriptor.Bounds.Holds(after) && len(after) > 0 {
		lower = append(append([]byte(nil), after...), 0)
	}
	page, err := r.ScanAndWait(ctx, j.Wait, &command.Plan{
		Table: state.Descriptor.Table, TableVersion: state.Table.Version,
		Lower: lower, Upper: state.Descriptor.Bounds.Upper, Bytes: stepBytesMax, Strong: true, Raw: true,
	})
	if err != nil {
		return err
	}
	j.after[id] = nil
	if page.Reason == command.Budget {
		j.after[id] = page.Next
	}
	sweep := command.Command{Action: command.Sweep}
	for _, e := range page.Entries {
		if e.Item == nil && e.Version < limit {
			sweep.Tombstones = append(sweep.Tombstones, e)
		}
	}
	if len(sweep.Tombstones) == 0 {
		return nil
	}
	_, err = r.WriteAndWait(ctx, j.Wait, &sweep)
	return err
}
