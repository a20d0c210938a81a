package split

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// Where several nodes lead partitions, a split is decided anywhere and carried through by the node that leads the parent: it
// counts rows, and it is there that the parent's lead may end. Then the next leader finds the reservation.

// Leaders are those of partitions, wherever they are.
type Leaders interface {
	Reports(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
	Order(ctx context.Context, p *catalog.Partition, o command.Order) (uint64, error)
	WriteTo(ctx context.Context, p *catalog.Partition, c *command.Command) (command.Result, error)
}

var (
	errNoPartition       = errors.New("the table has no partition for this key")
	errBorn        error = &command.Unfit{Text: "the table is being created"}
)

// order is At where the partition may be led elsewhere.
func (j *Job) order(ctx context.Context, name string, tableID uint64, at []byte) (uint64, error) {
	entry, ok := j.Catalog.Entry(name)
	if !ok {
		return 0, catalog.ErrMissing
	}
	p, err := j.choose(ctx, entry.Partitions[tableID], at)
	if err != nil {
		return 0, fmt.Errorf("splitting table %s: %w", name, err)
	}
	for {
		child, err := j.Leaders.Order(ctx, p, command.Order{Split: true, At: at})
		if err != nil || child != 0 {
			return child, err
		}
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("looking for the middle of partition %d, which goes on where it was when it is asked for again: %w", p.ID, err)
		}
	}
}

// choose finds the partition that holds a key, or the largest one.
func (j *Job) choose(ctx context.Context, partitions []catalog.Partition, at []byte) (*catalog.Partition, error) {
	if len(at) > 0 {
		for i := range partitions {
			if partitions[i].Bounds.Holds(at) {
				return &partitions[i], nil
			}
		}
		return nil, errNoPartition
	}
	reports, err := j.Leaders.Reports(ctx, partitions)
	if err != nil {
		return nil, err
	}
	if len(reports) == 0 {
		return nil, errNoPartition
	}
	largest := 0
	for i := range reports {
		if reports[i].Stats.Bytes > reports[largest].Stats.Bytes {
			largest = i
		}
	}
	return &partitions[largest], nil
}

// Of splits a partition that is led here at a key, or in its middle if that is empty: what an order asks for. It answers in
// time: a large partition whose middle is not found yet has no child, and the order has to come again.
func (j *Job) Of(ctx context.Context, partition uint64, at []byte) (child uint64, err error) {
	r, leads := j.Host.Led(partition)
	if !leads {
		return 0, &command.NotLeader{}
	}
	d := r.State().Descriptor
	entry, ok := j.Catalog.EntryByTable(d.Table)
	if !ok {
		return 0, catalog.ErrMissing
	}
	whole := whole(entry, d.Table)
	switch {
	case len(at) == 0:
		if at, err = j.look(d, whole); at == nil {
			return 0, err
		}
	case whole && len(at) > keys.TokenBytes:
		at = at[:keys.TokenBytes]
	}
	if !d.Bounds.Holds(at) {
		return 0, machine.StaleRoute(d)
	}
	return j.cut(ctx, entry.Table.Name, r, at)
}

// recounted sets a half's statistics right whose split somebody else began: nobody knows what was added to them since.
func (j *Job) recounted(ctx context.Context, tableID, partition uint64) error {
	if j.Leaders == nil {
		return j.Recount(ctx, partition)
	}
	return j.ofHalf(tableID, partition, func(p *catalog.Partition) error {
		_, err := j.Leaders.Order(ctx, p, command.Order{Recount: true})
		return err
	})
}

// writeElsewhere corrects a half wherever it is led.
func (j *Job) writeElsewhere(ctx context.Context, h half, correct *command.Command) error {
	return j.ofHalf(h.table, h.partition, func(p *catalog.Partition) error {
		_, err := j.Leaders.WriteTo(ctx, p, correct)
		return err
	})
}

// ofHalf asks something of a half as it was entered in the catalog. Once its table is gone nobody wants to know what it holds; that a table has
// lost one of its partitions is an error, after which the split stays reserved and is reconciled.
func (j *Job) ofHalf(tableID, id uint64, ask func(p *catalog.Partition) error) error {
	p, ok := j.partition(tableID, id)
	switch {
	case ok:
		return ask(p)
	case len(j.Catalog.Partitions(tableID)) == 0:
		return nil
	}
	return fmt.Errorf("partition %d was entered in the catalog, which does not know it any more", id)
}

func (j *Job) partition(tableID, id uint64) (*catalog.Partition, bool) {
	partitions := j.Catalog.Partitions(tableID)
	i := slices.IndexFunc(partitions, func(p catalog.Partition) bool { return p.ID == id })
	if i < 0 {
		return nil, false
	}
	return &partitions[i], true
}

// members are the copies of a right half: on the nodes of the left one, and known by its own ids once it is here.
func (j *Job) members(child uint64, parent machine.Descriptor) []command.Member {
	if r, ok := j.Host.Replica(child); ok {
		return r.State().Descriptor.Members
	}
	return parent.Members
}

// born tells whether a table, or an index's hidden table, is still coming into being: its first partitions are born from
// the catalog's record of them, and a half of one must not be.
func born(t *table.Table, id uint64) bool {
	if id == t.ID {
		return t.State == table.Creating
	}
	ix, ok := t.GlobalIndexByID(id)
	return ok && ix.Status == table.IndexCreating && !ix.Backfilling
}

// Reconcile finishes the splits that others left reserved, of the partitions that are led here.
func (j *Job) Reconcile(ctx context.Context) error {
	var failed []error
	for _, entry := range j.Catalog.Entries() {
		for _, s := range entry.Splits {
			if _, leads := j.Host.Led(s.Parent); !leads || j.busy.has(s.Child) {
				continue
			}
			if err := j.recover(ctx, entry.Table.Name, s); err != nil {
				failed = append(failed, fmt.Errorf("finishing the split of partition %d: %w", s.Parent, err))
			}
		}
	}
	return errors.Join(failed...)
}

// busy are splits by their children.
type busy struct {
	mu       sync.Mutex
	children map[uint64]bool
}

func (b *busy) begin(child uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.children == nil {
		b.children = map[uint64]bool{}
	}
	b.children[child] = true
}

func (b *busy) end(child uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.children, child)
}

func (b *busy) has(child uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.children[child]
}
