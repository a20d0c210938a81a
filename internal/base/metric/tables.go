package metric

import (
	"maps"
	"sync"
	"sync/atomic"
)

// TablesMax is how many tables are counted each on its own: of every one there are some hundred numbers to tell. Those beyond are counted
// together.
const TablesMax = 256

// Others is the id of the tables that are counted together; no table has it.
const Others uint64 = 0

// Tables counts requests by table and operation. A table is known from its first request on, and belongs to the others if there were enough
// before it: a count never moves, since it must not fall.
type Tables struct {
	operations int

	mu sync.Mutex // guards the making and forgetting of tables
	// byID is replaced whole, so that a request finds its table without a lock; those that are counted together all lead to one.
	byID   atomic.Pointer[map[uint64]*Table]
	others *Table
}

// Table holds the counters of one table, or of the others.
type Table struct {
	byOperation []atomic.Pointer[Served]
	// ConditionsFailed and Conflicts count items: writes whose condition did not hold, and what met a transaction under way.
	ConditionsFailed, Conflicts atomic.Int64
	// StatementScans are the statements that walked a whole table, as a Scan does.
	StatementScans Walks
	// Written and Read are the sizes of the items that requests wrote and read; those of a page count as the page's mean.
	Written, Read Sizes
}

// Walks counts requests that walked a table.
type Walks struct{ Requests, Examined, Returned atomic.Int64 }

// Served is what came of an operation's requests to a table.
type Served struct {
	Latency   Histogram // of those that succeeded
	Throttled atomic.Int64
	Faults    atomic.Int64
	Returned  atomic.Int64 // items or records
	Examined  atomic.Int64 // items, of which some were returned
	Bytes     atomic.Int64 // of records
}

// NewTables returns counters for so many operations, which go by their number.
func NewTables(operations int) *Tables {
	t := &Tables{operations: operations}
	t.others = t.newTable()
	t.byID.Store(&map[uint64]*Table{})
	return t
}

func (t *Tables) newTable() *Table {
	return &Table{byOperation: make([]atomic.Pointer[Served], t.operations)}
}

// Table finds the counters of a table.
func (t *Tables) Table(id uint64) *Table {
	if found, ok := (*t.byID.Load())[id]; ok {
		return found
	}
	return t.open(id)
}

func (t *Tables) open(id uint64) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := *t.byID.Load()
	if found, ok := now[id]; ok {
		return found
	}
	opened := t.others
	if t.own(now) < TablesMax {
		opened = t.newTable()
	}
	next := maps.Clone(now)
	next[id] = opened
	t.byID.Store(&next)
	return opened
}

// own is how many tables are counted on their own.
func (t *Tables) own(of map[uint64]*Table) (n int) {
	for _, table := range of {
		if table != t.others {
			n++
		}
	}
	return n
}

// Counted is the id under which a table is counted: its own, or Others.
func (t *Tables) Counted(id uint64) uint64 {
	if t.Table(id) == t.others {
		return Others
	}
	return id
}

// Keep forgets all tables but some: the others are gone. Where that makes room, tables that were counted together are known anew.
func (t *Tables) Keep(there func(id uint64) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := *t.byID.Load()
	next := maps.Clone(now)
	maps.DeleteFunc(next, func(id uint64, _ *Table) bool { return !there(id) })
	if t.own(next) < TablesMax {
		maps.DeleteFunc(next, func(_ uint64, table *Table) bool { return table == t.others })
	}
	if len(next) < len(now) {
		t.byID.Store(&next)
	}
}

// All are the counters of all tables by id, those of the others under Others.
func (t *Tables) All() map[uint64]*Table {
	all := map[uint64]*Table{Others: t.others}
	for id, table := range *t.byID.Load() {
		if table != t.others {
			all[id] = table
		}
	}
	return all
}

// Operation finds the counters of an operation, and makes them for its first request.
func (t *Table) Operation(number int) *Served {
	at := &t.byOperation[number]
	if served := at.Load(); served != nil {
		return served
	}
	at.CompareAndSwap(nil, &Served{})
	return at.Load()
}

// Asked are the counters of the operations that were asked for, by number.
func (t *Table) Asked() map[int]*Served {
	asked := map[int]*Served{}
	for number := range t.byOperation {
		if served := t.byOperation[number].Load(); served != nil {
			asked[number] = served
		}
	}
	return asked
}
