package split

import (
	"context"
	"errors"
	"fmt"
)

// Hot is a partition that is sustainedly near its bound, and the key at which a cut would relieve it.
type Hot struct {
	Partition, Table uint64
	At               []byte
}

// Cool splits partitions for their heat. It runs where the heat is felt, which may be at a copy that does not lead: one that serves reads
// which need not be consistent. What fails is judged anew, half a minute later.
func (j *Job) Cool(ctx context.Context, hot []Hot) error {
	var failed []error
	for _, h := range hot {
		entry, ok := j.Catalog.EntryByTable(h.Table)
		p, there := j.partition(h.Table, h.Partition)
		if !ok || !there || !p.Bounds.Holds(h.At) || !j.settled(h.Partition) {
			continue // another copy came first
		}
		_, err := j.At(ctx, entry.Table.Name, h.Table, h.At)
		if err != nil && !passing(err) && !errors.Is(err, ErrNothing) {
			failed = append(failed, fmt.Errorf("splitting partition %d for its heat: %w", h.Partition, err))
		}
	}
	return errors.Join(failed...)
}
