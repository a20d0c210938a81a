// Package split cuts a partition in two: reserved in the catalog, performed by the partition in one batch, then entered
// in the catalog. When is for others to say, unless a partition has grown too large, or too little for what is warm.
package split

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// Host keeps the replicas of this node.
type Host interface {
	// Led finds a replica that leads its partition.
	Led(partition uint64) (*replica.Replica, bool)
	Replica(partition uint64) (*replica.Replica, bool)
	// Start brings up a partition whose state is durable, if it is not up yet.
	Start(partition uint64) error
	// Missing is what the statistics of a partition lack of its true ones, both read from one snapshot, which is taken at the call: so
	// they are of one moment, whatever is performed around it, and whoever leads.
	Missing(d machine.Descriptor) func() (command.Stats, error)
	// Rows visits a partition's rows from a key on until so many bytes are read, and returns where to go on; nil at the end.
	Rows(d machine.Descriptor, from []byte, bytes int, each func(suffix []byte, bytes int)) (next []byte, err error)
	// Large lists the partitions of more than so many bytes that are led here, with all their replicas at hand.
	Large(bytes int64) []uint64
}

// Job is the splitting of partitions.
type Job struct {
	Catalog *catalog.Catalog
	Host    Host
	Wait    replica.Wait
	// Leaders are those of all partitions; nil on a node that is alone.
	Leaders Leaders
	// BytesMax is how large a partition becomes before it is split by Step; NowMillis is the clock by which splits are dated, and by
	// which Step leaves alone what it could not split.
	BytesMax  int64
	NowMillis func() int64
	// Warm has Step bring tables and indexes the partitions that their warm throughput takes.
	Warm bool
	// searches are those for the middle of partitions, resting the partitions that Step leaves alone, and until when.
	searches searches
	resting  map[uint64]int64
	// busy are the splits that this job has under way itself.
	busy busy
}

// ErrNothing is the answer to a split of a partition that has no two halves.
var ErrNothing error = &command.Unfit{Text: "the partition has no key at which it could be split"}

// At splits the partition of a table, or of an index's hidden table, that holds at; with an empty at the largest one in
// its middle. It returns the new partition's id.
func (j *Job) At(ctx context.Context, name string, tableID uint64, at []byte) (child uint64, err error) {
	for range triesMax {
		if j.Leaders != nil {
			child, err = j.order(ctx, name, tableID, at)
		} else {
			child, err = j.once(ctx, name, tableID, at)
		}
		var moved *command.StaleRoute
		if !errors.As(err, &moved) {
			break
		}
	}
	return child, err
}

// once is At, unless the partition changes between the look at it and the split.
func (j *Job) once(ctx context.Context, name string, tableID uint64, at []byte) (child uint64, err error) {
	parent, at, err := j.place(ctx, name, tableID, at)
	if err != nil {
		return 0, err
	}
	return j.cut(ctx, name, parent, at)
}

// cut splits a partition that is led here at a key.
func (j *Job) cut(ctx context.Context, name string, parent *replica.Replica, at []byte) (child uint64, err error) {
	state := parent.State()
	if string(at) == string(state.Descriptor.Bounds.Lower) {
		return 0, ErrNothing
	}
	// What is reserved is carried through, whoever gives up waiting: until it is entered, nobody finds the right half. That begins with the
	// reservation, which may be written although nobody waited for it.
	ctx = context.WithoutCancel(ctx)
	reserved, err := j.reserve(ctx, name, catalog.Reservation{
		Table: state.Descriptor.Table, Parent: state.Descriptor.Partition, Generation: state.Descriptor.Generation, At: at,
		Millis: j.NowMillis(),
	})
	defer j.busy.end(reserved.Child)
	if err != nil {
		return 0, fmt.Errorf("reserving a split of partition %d: %w", state.Descriptor.Partition, err)
	}
	counted, err := j.perform(ctx, parent, reserved)
	if _, entered := j.enter(ctx, name, reserved); err != nil || entered != nil {
		return 0, errors.Join(err, entered, counted.drop())
	}
	if err := j.correct(ctx, reserved, counted); err != nil {
		return reserved.Child, err
	}
	return reserved.Child, j.release(ctx, name, reserved)
}

// place finds the partition to split and the key to split it at.
func (j *Job) place(ctx context.Context, name string, tableID uint64, at []byte) (*replica.Replica, []byte, error) {
	entry, ok := j.Catalog.Entry(name)
	if !ok {
		return nil, nil, catalog.ErrMissing
	}
	whole := whole(entry, tableID)
	if whole && len(at) > keys.TokenBytes {
		at = at[:keys.TokenBytes]
	}
	var chosen *replica.Replica
	largest := int64(-1)
	for _, p := range entry.Partitions[tableID] {
		r, ok := j.Host.Led(p.ID)
		if !ok {
			continue
		}
		state := r.State()
		if len(at) > 0 && state.Descriptor.Bounds.Holds(at) {
			return r, at, nil
		}
		if len(at) == 0 && state.Applied.Stats.Bytes > largest {
			chosen, largest = r, state.Applied.Stats.Bytes
		}
	}
	if chosen == nil {
		return nil, nil, fmt.Errorf("table %s has no partition for this key here", name)
	}
	at, err := j.middle(ctx, chosen.State().Descriptor, whole)
	return chosen, at, err
}

// whole tells whether item collections stay together: the entries of local indexes lie by collection, and a cut within one
// would part them from their items.
func whole(entry *catalog.Entry, tableID uint64) bool {
	return tableID == entry.Table.ID && len(entry.Table.Local) > 0
}

// reserve gives the split a child id in the catalog. At most one split of a parent is under way.
func (j *Job) reserve(ctx context.Context, name string, wanted catalog.Reservation) (catalog.Reservation, error) {
	child, err := j.Catalog.Reserve(ctx, 1)
	if err != nil {
		return wanted, err
	}
	wanted.Child = child
	j.busy.begin(child)
	_, err = j.Catalog.UpdateEntry(ctx, name, func(e *catalog.Entry) (*catalog.Entry, error) {
		if !stays(e.Table, wanted.Table) {
			return nil, catalog.ErrMissing
		}
		if j.Leaders != nil && born(e.Table, wanted.Table) {
			return nil, errBorn
		}
		for _, s := range e.Splits {
			// A right half is split once its statistics are right, as both of its halves begin with them.
			if s.Parent == wanted.Parent || s.Child == wanted.Parent {
				return nil, &command.Unfit{Text: fmt.Sprintf("partition %d is being split already", s.Parent)}
			}
		}
		next := *e
		next.Splits = append(slices.Clone(e.Splits), wanted)
		return &next, nil
	})
	return wanted, err
}

// stays tells whether a table, or an index's hidden table, is not about to go: what goes is not split any more.
func stays(t *table.Table, id uint64) bool {
	if t.State == table.Deleting {
		return false
	}
	ix, ok := t.GlobalIndexByID(id)
	return id == t.ID || ok && ix.Status != table.IndexDeleting
}

// perform has the parent do it.
func (j *Job) perform(ctx context.Context, parent *replica.Replica, s catalog.Reservation) (c census, err error) {
	err = replica.ChangeAndWait(ctx, j.Wait, func(done func(error)) {
		parent.Split(&command.Command{At: s.At, Child: s.Child, Generation: s.Generation}, func(err error) {
			if err == nil {
				d := parent.State().Descriptor
				c = census{generation: d.Generation, count: j.Host.Missing(d)}
			}
			done(err)
		})
	})
	return c, err
}

// Recover finishes every split that a crash left reserved: one that was performed is entered and counted, one that was
// not is refused for ever, then cancelled. It runs at the start, before anything else writes.
func (j *Job) Recover(ctx context.Context) error {
	var failed []error
	for _, entry := range j.Catalog.Entries() {
		for _, s := range entry.Splits {
			if err := j.recover(ctx, entry.Table.Name, s); err != nil {
				failed = append(failed, fmt.Errorf("recovering the split of partition %d: %w", s.Parent, err))
			}
		}
	}
	return errors.Join(failed...)
}

func (j *Job) recover(ctx context.Context, name string, s catalog.Reservation) error {
	performed, err := j.enter(ctx, name, s)
	if err != nil || !performed {
		return err
	}
	for _, half := range []uint64{s.Parent, s.Child} {
		if err := j.recounted(ctx, s.Table, half); err != nil {
			return err
		}
	}
	return j.release(ctx, name, s)
}

// enter writes into the catalog what the parent says of itself. The reservation of a split that was not performed goes
// with it; that of one that was stays until the statistics are right, so that a crash does not leave them estimated.
func (j *Job) enter(ctx context.Context, name string, s catalog.Reservation) (performed bool, err error) {
	parent, ok := j.Host.Led(s.Parent)
	if !ok {
		return false, fmt.Errorf("partition %d is not led here", s.Parent)
	}
	if err := j.fence(ctx, parent, s); err != nil {
		return false, err
	}
	descriptor := parent.State().Descriptor
	performed = string(descriptor.Bounds.Upper) == string(s.At)
	if !performed {
		return false, j.release(ctx, name, s)
	}
	if err := j.Host.Start(s.Child); err != nil {
		return true, err
	}
	_, err = j.Catalog.UpdateEntry(ctx, name, func(e *catalog.Entry) (*catalog.Entry, error) {
		next := e.Finished(s)
		next.Partitions = j.entered(e.Partitions, s, descriptor)
		return next, nil
	})
	return true, err
}

// release ends a reservation.
func (j *Job) release(ctx context.Context, name string, s catalog.Reservation) error {
	_, err := j.Catalog.UpdateEntry(ctx, name, func(e *catalog.Entry) (*catalog.Entry, error) {
		next := *e
		next.Splits = slices.DeleteFunc(slices.Clone(e.Splits), func(o catalog.Reservation) bool { return o.Child == s.Child })
		return &next, nil
	})
	return err
}

// triesMax bounds how often an adopt may come in between.
const triesMax = 10

// fence makes sure that a split which was not performed never will be: the generation rises, and one of the old
// generation that is still under way somewhere is then refused.
func (j *Job) fence(ctx context.Context, parent *replica.Replica, s catalog.Reservation) (err error) {
	for range triesMax {
		descriptor := parent.State().Descriptor
		if string(descriptor.Bounds.Upper) == string(s.At) {
			return nil
		}
		err = replica.ChangeAndWait(ctx, j.Wait, func(done func(error)) {
			parent.Split(&command.Command{Generation: descriptor.Generation}, done)
		})
		var moved *command.StaleRoute
		if !errors.As(err, &moved) {
			return err
		}
	}
	return err
}

// entered is the map with the parent as it is now, and its child.
func (j *Job) entered(all map[uint64][]catalog.Partition, s catalog.Reservation, parent machine.Descriptor) map[uint64][]catalog.Partition {
	next := map[uint64][]catalog.Partition{}
	for id, partitions := range all {
		if id != s.Table {
			next[id] = partitions
			continue
		}
		for _, p := range partitions {
			if p.ID != s.Parent {
				next[id] = append(next[id], p)
				continue
			}
			next[id] = append(next[id], catalog.Partition{
				ID: p.ID, Generation: parent.Generation, Bounds: parent.Bounds, Members: parent.Members,
			})
			if string(p.Bounds.Upper) != string(s.At) {
				right := command.Bounds{Lower: s.At, Upper: p.Bounds.Upper}
				next[id] = append(next[id], catalog.Partition{ID: s.Child, Generation: 1, Bounds: right, Members: j.members(s.Child, parent)})
			}
		}
	}
	return next
}
