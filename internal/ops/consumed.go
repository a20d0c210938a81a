package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/capacity"
)

// consumed is the ConsumedCapacity member of an answer about one table: absent unless asked for, with every index on its own only under
// INDEXES (semantics §3.7). name is the table as the request called it.
func consumed(kind *string, name string, used capacity.Usage) *api.ConsumedCapacity {
	if !wantsCapacity(kind) {
		return nil
	}
	total := used.Total()
	answer := &api.ConsumedCapacity{TableName: &name, CapacityUnits: &total}
	if *kind == api.ReturnConsumedCapacityIndexes {
		answer.Table = &api.Capacity{CapacityUnits: &used.Table}
		answer.LocalSecondaryIndexes = capacities(used.Local)
		answer.GlobalSecondaryIndexes = capacities(used.Global)
	}
	return answer
}

// wantsCapacity tells whether an answer reports capacity at all, so that others need not count it.
func wantsCapacity(kind *string) bool {
	k := value(kind)
	return k == api.ReturnConsumedCapacityTotal || k == api.ReturnConsumedCapacityIndexes
}

func capacities(used map[string]float64) map[string]api.Capacity {
	if len(used) == 0 {
		return nil
	}
	shown := make(map[string]api.Capacity, len(used))
	for index, units := range used {
		shown[index] = api.Capacity{CapacityUnits: &units}
	}
	return shown
}

// consumed is what a write cost.
func (w written) consumed(kind *string) *api.ConsumedCapacity {
	if !wantsCapacity(kind) {
		return nil
	}
	return consumed(kind, w.name, capacity.OfWrite(w.table, w.Before, w.After))
}

// consumed is what a read of an item of size bytes cost, 0 where there is none.
func (p plannedRead) consumed(kind *string, size int) *api.ConsumedCapacity {
	if !wantsCapacity(kind) {
		return nil
	}
	return consumed(kind, p.name, p.usage(size))
}

func (p plannedRead) usage(size int) capacity.Usage {
	return capacity.OfRead(p.table, "", capacity.Reading{Bytes: int64(size), Consistent: p.strong})
}
