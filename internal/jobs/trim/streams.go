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

// streams lets go of the changes that every stream of a table has shown long enough, whether anybody has read them or
// not, and in the end of the streams themselves: then partitions keep nothing for them any more.
func (j *Job) streams(ctx context.Context, entry *catalog.Entry) error {
	horizon := command.VersionAt(j.NowMillis() - table.StreamRetention.Milliseconds())
	for _, p := range entry.Partitions[entry.Table.ID] {
		r, ok := j.Host.Led(p.ID)
		if !ok {
			continue
		}
		if err := j.shards(ctx, r, horizon); err != nil {
			return fmt.Errorf("partition %d: %w", p.ID, err)
		}
	}
	if _, leads := j.Host.Led(machine.CatalogPartition); !leads || entry.Table.WithoutOldStreams(j.NowMillis()) == entry.Table {
		return nil
	}
	_, err := j.Catalog.Update(ctx, entry.Table.Name, func(now *table.Table) (*table.Table, error) {
		return now.WithoutOldStreams(j.NowMillis()), nil
	})
	if errors.Is(err, catalog.ErrMissing) {
		return nil
	}
	return err
}

// shards trims the changes of one partition that are older than a version.
func (j *Job) shards(ctx context.Context, r *replica.Replica, horizon uint64) error {
	state := r.State()
	first, last := state.Cursor(command.StreamConsumer)+1, state.Applied.Sequence
	if len(state.Streams) == 0 || first > last {
		return nil
	}
	// Mostly nothing is old, which the oldest change tells; only then it is worth a search.
	next, err := r.ChangeSince(first, first, horizon)
	if err == nil && next > first {
		next, err = r.ChangeSince(first, last, horizon)
	}
	var trimmed *command.Trimmed
	if errors.As(err, &trimmed) {
		return nil // an adopt has ended the log meanwhile
	}
	if err != nil || next == first {
		return err
	}
	_, err = r.WriteAndWait(ctx, j.Wait, &command.Command{
		Action: command.Consume, Consumer: command.StreamConsumer, Sequence: next - 1,
	})
	return err
}
