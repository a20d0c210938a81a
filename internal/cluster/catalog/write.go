package catalog

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// updateTriesMax bounds how often a change is made again because another came first.
const updateTriesMax = 20

// Create stores a new table with so many partitions, for itself and for each global index, and returns it with its ids.
// The partitions are born by whoever keeps them, from this very record.
func (c *Catalog) Create(ctx context.Context, t *table.Table, partitions int) (*table.Table, error) {
	return c.CreateBeside(ctx, t, partitions, func() error { return nil })
}

// CreateBeside is Create for a table that others may leave no room for: allowed tells whether they do, by the map as it is then, and is asked
// again if the units that others are provisioned with grew meanwhile.
func (c *Catalog) CreateBeside(ctx context.Context, t *table.Table, partitions int, allowed func() error) (*table.Table, error) {
	if err := c.Sync(ctx); err != nil {
		return nil, err
	}
	var entry *Entry
	for range updateTriesMax {
		raised := c.current.Load().raised // before allowed looks at other tables
		if _, taken := c.Table(t.Name); taken {
			return nil, ErrExists
		}
		err := allowed()
		if err == nil && entry == nil {
			entry, err = c.newEntry(ctx, t, partitions)
		}
		if err == nil {
			err = c.putEntry(ctx, &Entry{Table: &table.Table{}}, entry, raised)
		}
		if err == nil {
			return entry.Table, nil
		}
		if !errors.Is(err, errRaced) {
			return nil, err
		}
		if err := c.Sync(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("creating table %s: %w", t.Name, errRaced)
}

// newEntry is a table's first one, with the ids of all that is new.
func (c *Catalog) newEntry(ctx context.Context, t *table.Table, partitions int) (*Entry, error) {
	t = t.Clone()
	first, err := c.Reserve(ctx, 1+len(t.Global)+partitions*(1+len(t.Global)))
	if err != nil {
		return nil, err
	}
	t.ID, t.Version = first, 1
	entry := &Entry{Table: t, Revision: firstRevision(t.ID), Partitions: map[uint64][]Partition{}}
	next := first + 1
	if entry.Partitions[t.ID], err = c.newPartitions(partitions, next); err != nil {
		return nil, err
	}
	next += uint64(partitions)
	for i := range t.Global {
		t.Global[i].ID = next
		if entry.Partitions[next], err = c.newPartitions(partitions, next+1); err != nil {
			return nil, err
		}
		next += 1 + uint64(partitions)
	}
	return entry, nil
}

// firstRevision is that of a new table's entry. It leaves room for more changes than tables see, so that a write which was meant for another
// table, and comes when that is gone and its name is taken anew, finds none of its revisions.
func firstRevision(tableID uint64) int64 { return int64(tableID) << 20 }

// newPartitions are those of a new table or index. They fix for ever which replicas come first, and where.
func (c *Catalog) newPartitions(n int, first uint64) ([]Partition, error) {
	partitions := EvenPartitions(n, first)
	if c.options.Choose == nil {
		return partitions, nil
	}
	chosen, err := c.options.Choose(n)
	if err != nil {
		return nil, fmt.Errorf("choosing nodes for %d partitions: %w", n, err)
	}
	for i, nodes := range chosen {
		for j, node := range nodes {
			partitions[i].Members = append(partitions[i].Members, command.Member{Replica: uint64(j + 1), Node: node})
		}
	}
	return partitions, nil
}

// Update changes a table: change gets the table as it is and returns it as it shall be (a changed Clone), or nil to
// remove it from the catalog. It may be called again if another change came first. New global indexes, those without an
// id, get partitions.
func (c *Catalog) Update(ctx context.Context, name string, change func(*table.Table) (*table.Table, error)) (*table.Table, error) {
	updated, err := c.UpdateEntry(ctx, name, func(e *Entry) (*Entry, error) {
		t, err := change(e.Table)
		if err != nil || t == nil {
			return nil, err
		}
		next := *e
		next.Table = t.Clone()
		return &next, nil
	})
	if err != nil || updated == nil {
		return nil, err
	}
	return updated.Table, nil
}

// UpdateEntry is Update for a table with its partitions and reservations.
func (c *Catalog) UpdateEntry(ctx context.Context, name string, change func(*Entry) (*Entry, error)) (*Entry, error) {
	if err := c.Sync(ctx); err != nil {
		return nil, err
	}
	for range updateTriesMax {
		raised := c.current.Load().raised // before change looks at other tables
		entry, ok := c.Entry(name)
		if !ok {
			return nil, ErrMissing
		}
		next, err := change(entry)
		if err != nil {
			return nil, err
		}
		if next == nil {
			err = c.remove(ctx, tablePrefix+name, entry.Revision)
		} else {
			if next, err = c.numbered(ctx, entry, next); err == nil {
				err = c.putEntry(ctx, entry, next, raised)
			}
		}
		if err == nil || !errors.Is(err, errRaced) {
			return next, err
		}
		if err := c.Sync(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("changing table %s: %w", name, errRaced)
}

// numbered completes a changed entry: its revision, the table's version if partitions must adopt the change, the ids and
// partitions of new indexes; partitions of indexes that are gone go.
func (c *Catalog) numbered(ctx context.Context, old, changed *Entry) (*Entry, error) {
	next := *changed
	next.Table = changed.Table.Clone()
	next.Revision = old.Revision + 1
	next.Partitions = map[uint64][]Partition{next.Table.ID: changed.Partitions[next.Table.ID]}
	count := len(next.Partitions[next.Table.ID])
	for i := range next.Table.Global {
		ix := &next.Table.Global[i]
		if ix.ID != 0 {
			next.Partitions[ix.ID] = changed.Partitions[ix.ID]
			continue
		}
		first, err := c.Reserve(ctx, 1+count)
		if err != nil {
			return nil, err
		}
		ix.ID = first
		if next.Partitions[first], err = c.newPartitions(count, first+1); err != nil {
			return nil, err
		}
	}
	next.Table.Version = old.Table.Version
	if !reflect.DeepEqual(adopted(old.Table), adopted(next.Table)) {
		next.Table.Version++
	}
	return &next, nil
}

// adopted is the part of a description that partitions act on.
func adopted(t *table.Table) any {
	type index struct {
		ID         uint64
		Key        table.Key
		Projection table.Projection
		Deleting   bool
	}
	view := struct {
		Key           table.Key
		Local, Global []index
		Deleting      bool
		TimeToLive    string
		Streams       []table.Stream
	}{Key: t.Key, Deleting: t.State == table.Deleting, TimeToLive: t.TimeToLive, Streams: t.Streams}
	for _, ix := range t.Local {
		view.Local = append(view.Local, index{ID: ix.ID, Key: ix.Key, Projection: ix.Projection})
	}
	for _, ix := range t.Global {
		view.Global = append(view.Global, index{ID: ix.ID, Key: ix.Key, Projection: ix.Projection,
			Deleting: ix.Status == table.IndexDeleting})
	}
	return view
}

var errRaced = fmt.Errorf("the catalog was changed by another at the same time")

// Reserve takes n ids that were never given before.
func (c *Catalog) Reserve(ctx context.Context, n int) (first uint64, err error) {
	values := attr.NewMap([]attr.Entry{
		{Name: ":n", Value: attr.Int(int64(n))}, {Name: ":first", Value: attr.Int(firstFreeID)},
	})
	names := expr.NewNames(map[string]string{"#next": attributeNext}, values)
	update, err := expr.ParseUpdate("SET #next = if_not_exists(#next, :first) + :n", names)
	if err != nil {
		return 0, err
	}
	key := attr.NewMap([]attr.Entry{{Name: attributePK, Value: attr.String(idsKey)}})
	result, err := c.write(ctx, &command.Command{Action: command.Update, Key: keyOf(idsKey), Item: key, Update: update})
	if err != nil {
		return 0, fmt.Errorf("reserving ids: %w", err)
	}
	next, _ := result.After.Get(attributeNext)
	after, err := strconv.ParseUint(string(next.Number().Append(nil)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reserving ids: %w", err)
	}
	return after - uint64(n), nil
}

// putEntry writes an entry over an older one. One that raises what is provisioned is written only while no other has done so since the map
// was as it was at that revision of raisedKey: what the account may have is shared by all tables, each of which has an item of its own.
func (c *Catalog) putEntry(ctx context.Context, old, next *Entry, raised int64) error {
	if next.Table.ProvisionedUnits(false) <= old.Table.ProvisionedUnits(false) && next.Table.ProvisionedUnits(true) <= old.Table.ProvisionedUnits(true) {
		return c.putRevision(ctx, next.item(), old.Revision)
	}
	entry, err := put(next.item(), old.Revision)
	if err != nil {
		return err
	}
	guard, err := put(bodyItem(raisedKey, raised+1, nil), raised)
	if err != nil {
		return err
	}
	_, err = c.write(ctx, &command.Command{Action: command.Transact, Transaction: &command.Transaction{Actions: []*command.Command{entry, guard}}})
	return err
}

// putRevision writes an item over the revision of it that is to be there, 0 for none.
func (c *Catalog) putRevision(ctx context.Context, item attr.Map, revision int64) error {
	w, err := put(item, revision)
	if err != nil {
		return err
	}
	_, err = c.write(ctx, w)
	return err
}

func put(item attr.Map, revision int64) (*command.Command, error) {
	holds, err := isRevision(revision)
	if err != nil {
		return nil, err
	}
	pk, _ := item.Get(attributePK)
	return &command.Command{
		Action: command.Put, Table: machine.CatalogTable, TableVersion: SystemTable().Version, Key: keyOf(string(pk.Str())), Item: item, Condition: holds,
	}, nil
}

func (c *Catalog) remove(ctx context.Context, pk string, revision int64) error {
	holds, err := isRevision(revision)
	if err != nil {
		return err
	}
	_, err = c.write(ctx, &command.Command{Action: command.Delete, Key: keyOf(pk), Condition: holds})
	return err
}

// isRevision holds where an item has a revision, 0 where there is none.
func isRevision(revision int64) (*expr.Condition, error) {
	if revision == 0 {
		return expr.ParseCondition(expr.ConditionExpression, "attribute_not_exists(pk)", expr.NewNames(nil, nil))
	}
	values := attr.NewMap([]attr.Entry{{Name: ":r", Value: attr.Int(revision)}})
	return expr.ParseCondition(expr.ConditionExpression, "revision = :r", expr.NewNames(nil, values))
}

// write performs a command on partition 1, and returns once this catalog shows what it wrote.
func (c *Catalog) write(ctx context.Context, w *command.Command) (command.Result, error) {
	w.Table, w.TableVersion = machine.CatalogTable, SystemTable().Version
	result, err := c.options.Store.WriteAndWait(ctx, c.options.Wait, w)
	if err != nil {
		return result, err
	}
	switch result.Refusal {
	case command.Accepted:
		return result, c.reach(ctx, result.Sequence)
	case command.ConditionFailed, command.Cancelled:
		return result, errRaced
	default:
		return result, fmt.Errorf("the catalog refused a write: %d %s", result.Refusal, result.Text)
	}
}
