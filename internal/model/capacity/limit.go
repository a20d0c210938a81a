package capacity

import "stator/internal/model/table"

// Kind is what units are consumed by.
type Kind byte

// The kinds.
const (
	Reads Kind = iota
	Writes
	// Kinds is how many there are.
	Kinds
)

// Limit is what a request went beyond.
type Limit byte

// The limits. Their names are the ends of DynamoDB's throttling reasons (semantics §18.2).
const (
	// Unlimited: nothing refused the request.
	Unlimited Limit = iota
	// ProvisionedThroughput is what a provisioned table or index is set to.
	ProvisionedThroughput
	// AccountLimit is what an account that never asked for more is given for one on-demand table or index.
	AccountLimit
	// KeyRangeThroughput is what the partitions serve: one its bound, all of an on-demand table's twice its previous peak.
	KeyRangeThroughput
	// MaxOnDemandThroughput is what the owner of an on-demand table or index bounded it by.
	MaxOnDemandThroughput
	// Limits is how many there are.
	Limits
)

var limitNames = [Limits]string{"", "ProvisionedThroughput", "AccountLimit", "KeyRangeThroughput", "MaxOnDemandThroughput"}

// String is the limit's name.
func (l Limit) String() string { return limitNames[l] }

// The quotas of an account that never asked for more, in units per second (semantics §4, §17.11).
const (
	AccountUnitsMax = 80_000
	TableUnitsMax   = 40_000
)

// Payer is whose throughput a request consumes: a table's, or that of one of its global indexes.
type Payer struct {
	Table *table.Table
	Index *table.Index // nil: the table's own
}

// ID is the table's id, or that of the index's hidden table.
func (p Payer) ID() uint64 {
	if p.Index != nil {
		return p.Index.ID
	}
	return p.Table.ID
}

// Key is what its items, or entries, are found by.
func (p Payer) Key() *table.Key {
	if p.Index != nil {
		return &p.Index.Key
	}
	return &p.Table.Key
}

// Insights are the payer's contributor insights.
func (p Payer) Insights() *table.Insights {
	if p.Index != nil {
		return &p.Index.Insights
	}
	return &p.Table.Insights
}

// Reason is DynamoDB's name for a refusal (semantics §18.2).
func (p Payer) Reason(kind Kind, limit Limit) string {
	of, units := "Table", "Read"
	if p.Index != nil {
		of = "Index"
	}
	if kind == Writes {
		units = "Write"
	}
	return of + units + limitNames[limit] + "Exceeded"
}

// How many seconds' throughput may be saved up. What an on-demand table does not use is not saved: of it only as much is kept as
// evens out requests that do not come evenly.
const (
	BurstSeconds         = 300
	OnDemandBurstSeconds = 1
)

// Bound is how fast units may be consumed, and what refuses them beyond.
type Bound struct {
	PerSecond    float64
	BurstSeconds float64
	Limit        Limit
	OfPartition  bool // of one copy of a partition, not of a payer
}

// Burst is how many units can be saved up.
func (b Bound) Burst() float64 { return b.PerSecond * b.BurstSeconds }

// PartitionBounds are what one copy of a partition serves, by kind (semantics §18.4).
var PartitionBounds = [Kinds]Bound{
	Reads:  {PerSecond: 3_000, BurstSeconds: BurstSeconds, Limit: KeyRangeThroughput, OfPartition: true},
	Writes: {PerSecond: 1_000, BurstSeconds: BurstSeconds, Limit: KeyRangeThroughput, OfPartition: true},
}

// Bound is the narrowest of a payer's bounds. The warm throughput of an on-demand table or index is twice its previous peak (see Peak).
func (p Payer) Bound(kind Kind) Bound {
	set, onDemand, warm := &p.Table.Throughput, &p.Table.OnDemand, &p.Table.Warm
	if p.Index != nil {
		set, onDemand, warm = &p.Index.Throughput, &p.Index.OnDemand, &p.Index.Warm
	}
	if p.Table.Billing == table.Provisioned {
		return Bound{PerSecond: float64(pick(kind, set.Read, set.Write)), BurstSeconds: BurstSeconds, Limit: ProvisionedThroughput}
	}
	least := pick(kind, table.WarmOnDemand.Read, table.WarmOnDemand.Write)
	narrowest, limit := max(least, pick(kind, warm.Read, warm.Write)), KeyRangeThroughput
	if narrowest > TableUnitsMax {
		narrowest, limit = TableUnitsMax, AccountLimit
	}
	if most := pick(kind, onDemand.Read, onDemand.Write); most > 0 && most <= narrowest {
		narrowest, limit = most, MaxOnDemandThroughput
	}
	return Bound{PerSecond: float64(narrowest), BurstSeconds: OnDemandBurstSeconds, Limit: limit}
}

func pick(kind Kind, read, write int64) int64 {
	if kind == Reads {
		return read
	}
	return write
}
