package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// transactUsage adds up what a transaction cost, table by table in the order in which it names them.
type transactUsage struct {
	tables []*table.Table
	names  []string // as the request first gave them
	used   []capacity.Usage
}

func (u *transactUsage) add(t *table.Table, name string, used capacity.Usage) {
	for i := range u.tables {
		if u.tables[i].ID == t.ID {
			u.used[i] = u.used[i].Plus(used)
			return
		}
	}
	u.tables, u.names, u.used = append(u.tables, t), append(u.names, name), append(u.used, used)
}

// consumed is the ConsumedCapacity member of a transaction's answer. Alone of all answers it tells units of reading from
// units of writing (semantics §3.8).
func (u *transactUsage) consumed(kind *string, reads bool) []api.ConsumedCapacity {
	var list []api.ConsumedCapacity
	for i := range u.tables {
		c := consumed(kind, u.names[i], u.used[i])
		split := func(units *float64, read, write **float64) {
			if reads {
				*read = units
			} else {
				*write = units
			}
		}
		split(c.CapacityUnits, &c.ReadCapacityUnits, &c.WriteCapacityUnits)
		if c.Table != nil {
			split(c.Table.CapacityUnits, &c.Table.ReadCapacityUnits, &c.Table.WriteCapacityUnits)
		}
		for _, indexes := range []map[string]api.Capacity{c.LocalSecondaryIndexes, c.GlobalSecondaryIndexes} {
			for name, shown := range indexes {
				split(shown.CapacityUnits, &shown.ReadCapacityUnits, &shown.WriteCapacityUnits)
				indexes[name] = shown
			}
		}
		list = append(list, *c)
	}
	return list
}

// consumed is what a transaction that writes cost. A replayed one wrote nothing: it is charged for reading what it would
// have written (semantics §3.9).
func (o *Ops) transactConsumed(ctx context.Context, kind *string, done transacted) ([]api.ConsumedCapacity, error) {
	if !wantsCapacity(kind) {
		return nil, nil
	}
	var u transactUsage
	for i := range done.planned {
		p := &done.planned[i]
		if !done.replayed {
			u.add(p.table, p.name, done.usage(i))
			continue
		}
		found, err := o.router.Read(ctx, command.Get{
			Table: p.table.ID, TableVersion: p.table.Version, Key: p.command.Key, Strong: true,
		})
		if err != nil {
			return nil, err
		}
		u.add(p.table, p.name, readInTransaction(found.Size))
	}
	return u.consumed(kind, done.replayed), nil
}

// readInTransaction is what reading an item of size bytes in a transaction costs, 0 where there is none.
func readInTransaction(size int) capacity.Usage {
	return capacity.Usage{Table: capacity.TransactFactor * capacity.Read(int64(size), true)}
}
