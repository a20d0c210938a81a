package node

import (
	"maps"
	"sync"

	"stator/internal/base/metric"
	"stator/internal/cluster/budget"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/ops"
	"stator/internal/partition/command"
)

// OtherTables stands for the tables beyond metric.TablesMax, which are counted together. No table may be called that.
const OtherTables = "(others)"

// refused counts the item for which a write or a transaction was not performed.
func (n *Node) refused(tableID uint64, refusal command.Refusal) {
	switch refusal {
	case command.ConditionFailed:
		n.requests.Table(tableID).ConditionsFailed.Add(1)
	case command.Locked:
		n.requests.Table(tableID).Conflicts.Add(1)
	}
}

// Requests are the counters of the requests that came to this node, by the tables' names; the operations are numbered as in ops.Counted.
func (n *Node) Requests() map[string]*metric.Table {
	byName := map[string]*metric.Table{}
	for id, counts := range n.requests.All() {
		if id == metric.Others {
			byName[OtherTables] = counts
		} else if entry, ok := n.catalog.EntryByTable(id); ok {
			byName[entry.Table.Name] = counts
		}
	}
	return byName
}

func newRequests() *metric.Tables { return metric.NewTables(len(ops.Counted)) }

// sums add up by the ids of tables, or of indexes. Zero sums are ready for use.
type sums[N int | float64] struct {
	mu sync.Mutex // guards by
	by map[uint64]N
}

func (s *sums[N]) add(id uint64, n N) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[uint64]N{}
	}
	s.by[id] += n
}

func (s *sums[N]) of(id uint64) N {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[id]
}

func (s *sums[N]) keep(there func(id uint64) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.by, func(id uint64, _ N) bool { return !there(id) })
}

// totals are what payers consumed and were refused since the process began. They begin with the books' first count: the books themselves
// go back further, and forget.
type totals struct {
	mu      sync.Mutex // guards what follows
	byPayer map[uint64]*total
}

// total is one payer's. A request that cost less than it was taken for gives back, so that the sum may fall; what is told of it never does.
type total struct {
	capacity.Tally
	told [capacity.Kinds]float64
}

// add adds what was counted since the last time, where the tables that are counted together are one payer.
func (t *totals) add(turned budget.Minute) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPayer == nil {
		t.byPayer = map[uint64]*total{}
	}
	for id, tally := range turned {
		sum := t.byPayer[id]
		if sum == nil {
			sum = &total{}
			t.byPayer[id] = sum
		}
		sum.Add(&tally)
		for kind := range capacity.Kinds {
			sum.told[kind] = max(sum.told[kind], sum.Consumed[kind])
		}
	}
}

// of is what is told of a payer.
func (t *totals) of(id uint64) capacity.Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum, ok := t.byPayer[id]
	if !ok {
		return capacity.Tally{}
	}
	told := sum.Tally
	told.Consumed = sum.told
	return told
}

func (t *totals) keep(there func(id uint64) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.byPayer {
		if id != metric.Others && !there(id) {
			delete(t.byPayer, id)
		}
	}
}

// together is what was counted with the tables in one that are counted together.
func (n *Node) together(turned map[uint64]capacity.Tally) budget.Minute {
	sum := budget.Minute{}
	for id, tally := range turned {
		if p, ok := n.payer(id); ok && n.requests.Counted(p.Table.ID) == metric.Others {
			id = metric.Others
		}
		sum.Add(budget.Minute{id: tally})
	}
	return sum
}

// forget drops the counters of tables that are gone.
func (n *Node) forget() {
	known := func(id uint64) bool { _, there := n.catalog.EntryByTable(id); return there }
	pays := func(id uint64) bool { _, there := n.payer(id); return there }
	n.requests.Keep(known)
	n.expired.keep(known)
	n.totals.keep(pays)
	n.online.keep(pays)
}

// Metered is a table, or a global index of it, with what requests to this node consumed of it.
type Metered struct {
	Table, Index string
	Provisioned  table.Throughput // zero where it is paid for by the request
	OnDemandMax  table.OnDemand   // zero where that has no bound
	Total        capacity.Tally   // zero where nobody counts
}

// Metered lists all tables and global indexes, those that are counted together in one.
func (n *Node) Metered() []Metered {
	var list []Metered
	others := Metered{Table: OtherTables, Total: n.totals.of(metric.Others)}
	for _, entry := range n.catalog.Entries() {
		for _, m := range n.meteredOf(entry.Table) {
			if n.requests.Counted(entry.Table.ID) != metric.Others {
				list = append(list, m)
				continue
			}
			others.Provisioned.Read += m.Provisioned.Read
			others.Provisioned.Write += m.Provisioned.Write
		}
	}
	return append(list, others)
}

func (n *Node) meteredOf(t *table.Table) []Metered {
	list := []Metered{{Table: t.Name, Provisioned: t.Throughput, OnDemandMax: t.OnDemand, Total: n.totals.of(t.ID)}}
	for i := range t.Global {
		ix := &t.Global[i]
		list = append(list, Metered{
			Table: t.Name, Index: ix.Name, Provisioned: ix.Throughput, OnDemandMax: ix.OnDemand, Total: n.totals.of(ix.ID),
		})
	}
	if t.Billing != table.Provisioned {
		for i := range list {
			list[i].Provisioned = table.Throughput{}
		}
	}
	return list
}

// AccountUse is how much of the account's quotas tables are provisioned with, in percent by the kind of units: all of them together, and
// the table that has most with its global indexes.
type AccountUse struct{ All, Most [capacity.Kinds]float64 }

// AccountUse measures the use of the quotas.
func (n *Node) AccountUse() (use AccountUse) {
	for kind := range capacity.Kinds {
		var all, most int64
		for _, entry := range n.catalog.Entries() {
			units := entry.Table.ProvisionedUnits(kind == capacity.Writes)
			all += units
			most = max(most, units)
		}
		use.All[kind] = 100 * float64(all) / capacity.AccountUnitsMax
		use.Most[kind] = 100 * float64(most) / capacity.TableUnitsMax
	}
	return use
}

// Counts tells whether anybody counts what is consumed.
func (n *Node) Counts() bool { return n.budget != nil }

// IndexFill is how far a new global index has come, of the partitions that are led here.
type IndexFill struct {
	Table, Index string
	Percent      float64
	// Units are what filling it from here consumed of its writes since the process began.
	Units float64
}

// IndexFills lists the global indexes that are being filled.
func (n *Node) IndexFills() []IndexFill {
	var list []IndexFill
	for _, entry := range n.catalog.Entries() {
		for i := range entry.Table.Global {
			ix := &entry.Table.Global[i]
			if ix.Status != table.IndexCreating || !ix.Backfilling {
				continue
			}
			if percent, ok := n.filled(entry.Table, ix); ok {
				list = append(list, IndexFill{Table: entry.Table.Name, Index: ix.Name, Percent: percent, Units: n.online.of(ix.ID)})
			}
		}
	}
	return list
}

// filled is the share of the items here that are in an index, or that there is nothing here to fill it with.
func (n *Node) filled(t *table.Table, ix *table.Index) (percent float64, ok bool) {
	var read, held int64
	for _, p := range n.catalog.Partitions(t.ID) {
		r, leads := n.host.Led(p.ID)
		if !leads {
			continue
		}
		ok = true
		state := r.State()
		items, progress := state.Applied.Stats.Items, state.Backfills[ix.ID]
		held += items
		if progress.Done {
			read += items
		} else {
			read += min(progress.Items, items)
		}
	}
	if held == 0 {
		return 100, ok
	}
	return 100 * float64(read) / float64(held), ok
}
