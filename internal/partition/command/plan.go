package command

import (
	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Get is a wish to read one item.
type Get struct {
	Table        uint64
	TableVersion uint64
	Key          []byte
	Strong       bool
	// Lend is as in a Plan.
	Lend bool
}

// GetResult is the item under a key, nil when there is none, and its size in DynamoDB's accounting.
type GetResult struct {
	Item attr.Map
	Size int
	// Arena is where Item lies if the get lent one, whether there is an item or not; nil: it lies by itself.
	Arena *attr.Arena
}

// Plan is a wish to walk a range of one partition's items, or of one of its local indexes.
type Plan struct {
	Table        uint64
	TableVersion uint64
	// Index is the ordinal of a local index, 0 for the table's own items.
	Index uint32
	// Lower and Upper bound the walk as [Lower, Upper). Of a table they are key suffixes; of a local index they are
	// token, partition key, index id, then sort components. An empty Upper is no bound.
	Lower, Upper []byte
	Reverse      bool
	// Limit bounds the evaluated items; 0 is no limit. Bytes is what is left of the page's budget.
	Limit int
	Bytes int64
	// Strong asks the leader.
	Strong bool
	Filter *expr.Condition
	// Project is applied to what passed the filter; nil keeps whole items. Discard keeps no items at all (a count).
	Project *expr.Projection
	Discard bool
	// Fetch makes a walk of a local index bring whole items from the table.
	Fetch bool
	// Raw asks for entries, tombstones among them, instead of items: the walk of a job.
	Raw bool
	// Lend has the page's items lie in an arena, which whoever asked releases. It stays on this node: what comes from another lies
	// in the bytes it came in.
	Lend bool
}

// Reason says why a page ended.
type Reason byte

// The reasons.
const (
	// Done: the plan's range is exhausted.
	Done Reason = iota
	// Limit: as many items as asked for were evaluated.
	Limit
	// Budget: the page's bytes are used up.
	Budget
	// Edge: the partition ends before the plan's range does.
	Edge
)

// Page is what a walk found.
type Page struct {
	Items []attr.Map
	// Arena is where Items and LastItem lie if the plan lent one; nil: they lie by themselves.
	Arena   *attr.Arena
	Entries []Entry // only of a Raw plan
	Reason  Reason
	// Next is the key after which the walk goes on, in the plan's own key space: the last evaluated key, or at an Edge
	// the bound of the partition (exclusive below for a reverse walk, inclusive otherwise).
	Next []byte
	// LastItem is the last evaluated item, or index entry: the LastEvaluatedKey is cut from it.
	LastItem attr.Map
	// Examined counts evaluated items, Matched those that passed the filter.
	Examined, Matched int
	// Bytes is the size of the evaluated items in DynamoDB's accounting.
	Bytes int64
	// FetchUnits counts the 4 KB units of the items that Fetch brought from the table.
	FetchUnits int64
}

// Stats is what a partition holds. Local maps a local index's ordinal to its entries.
type Stats struct {
	Items, Bytes int64
	Local        map[uint32]Tally `json:",omitempty"`
}

// Minus is what a has more than b.
func (a Stats) Minus(b Stats) Stats {
	d := Stats{Items: a.Items - b.Items, Bytes: a.Bytes - b.Bytes, Local: map[uint32]Tally{}}
	for index, tally := range a.Local {
		d.Local[index] = tally
	}
	for index, tally := range b.Local {
		left := d.Local[index]
		d.Local[index] = Tally{Items: left.Items - tally.Items, Bytes: left.Bytes - tally.Bytes}
	}
	return d
}

// Tally counts the entries of an index with their bytes.
type Tally struct{ Items, Bytes int64 }
