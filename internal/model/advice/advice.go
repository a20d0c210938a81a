// Package advice finds what is wrong with the way a table is used: the pitfalls that most tables fall into, what each costs, and the change
// that ends it. It does not know where the use was metered.
package advice

import (
	"math"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/cost"
	"stator/internal/model/table"
)

// Use is how a table was used.
type Use struct {
	cost.Workload

	// OnDemand tells that it is paid for by the request, and has no Provisioned.
	OnDemand bool `json:"onDemand"`
	// Resources are in the order of the workload's.
	Resources []Resource `json:"use"`
	// Since is when the operations began to be counted, Operations what they came to by name.
	Since      time.Time            `json:"since"`
	Until      time.Time            `json:"until"`
	Operations map[string]Operation `json:"operations"`
	// Written and Read are the items that requests wrote and read, some of about one size after the other; none before the first.
	Written []Sized `json:"written,omitempty"`
	Read    []Sized `json:"read,omitempty"`
}

// Sized is some items of about one size, with the bytes that they have together.
type Sized struct {
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"`
}

// Resource is the use of a table, or of one of its indexes, beside what it consumed.
type Resource struct {
	Provisioned table.Throughput `json:"provisioned"`
	// Refused is how many requests were beyond what a partition serves, in the last RefusedMinutes.
	Refused [capacity.Kinds]uint64 `json:"refused"`
	// Partitions are those of it, with what they serve now.
	Partitions []Partition `json:"partitions"`
}

// RefusedMinutes is how long a refusal is worth a word.
const RefusedMinutes = 24 * 60

// Partition is one of them, by the units a second that its busiest copy serves, since each copy has a bound of its own.
type Partition struct {
	ID        uint64                  `json:"id"`
	PerSecond [capacity.Kinds]float64 `json:"perSecond"`
	// Hottest is the key that takes most of them.
	Hottest [capacity.Kinds]KeyShare `json:"hottest"`
}

// KeyShare is a key, its values as people read them, and its share of its copy's units.
type KeyShare struct {
	Key   []string `json:"key"`
	Share float64  `json:"share"`
}

// Busier is what two copies of a partition serve: of each kind the busier one's.
func (p Partition) Busier(other Partition) Partition {
	for kind := range capacity.Kinds {
		if other.PerSecond[kind] > p.PerSecond[kind] {
			p.PerSecond[kind], p.Hottest[kind] = other.PerSecond[kind], other.Hottest[kind]
		}
	}
	return p
}

// Operation is what came of one: how many requests succeeded, how many items they looked at, and how many of these they returned.
type Operation struct {
	Requests int64 `json:"requests"`
	Examined int64 `json:"examined"`
	Returned int64 `json:"returned"`
}

// Plus is what came of requests to two nodes.
func (o Operation) Plus(other Operation) Operation {
	return Operation{o.Requests + other.Requests, o.Examined + other.Examined, o.Returned + other.Returned}
}

// The pitfalls.
const (
	HotPartitions    = "hot partitions"
	LargeItems       = "large items"
	Scans            = "scans"
	OverProvisioning = "over-provisioning"
)

// Finding is a pitfall that a table is in.
type Finding struct {
	Pitfall  string `json:"pitfall"`
	Resource string `json:"resource,omitempty"` // the index, "" = the table
	Seen     string `json:"seen"`               // in numbers
	Change   string `json:"change"`             // what ends it
	// Monthly is what it costs in a month of 730 hours, null where it has no price.
	Monthly *float64 `json:"monthly"`
	// Throttled is how many requests it had throttled in the last RefusedMinutes.
	Throttled uint64 `json:"throttled,omitempty"`
}

// Find lists the findings of one pitfall after the other.
func Find(u Use, p cost.Prices) []Finding {
	f := finder{use: u, prices: p}
	f.hotPartitions()
	f.largeItems()
	f.scans()
	f.overProvisioning()
	return f.found
}

type finder struct {
	use    Use
	prices cost.Prices
	found  []Finding
}

func (f *finder) add(found Finding) { f.found = append(f.found, found) }

// metered is the workload's part of a resource.
func (f *finder) metered(i int) *cost.Resource { return &f.use.Workload.Resources[i] }

// priced is what so many of something cost, nil where it has no price.
func (f *finder) priced(what string, quantity float64) *float64 {
	price, ok := f.prices.Prices[what]
	if !ok {
		return nil
	}
	paid := quantity * price.Price
	return &paid
}

// units is what so many units a second would cost in a month as the table is paid for.
func (f *finder) units(kind capacity.Kind, perSecond float64) *float64 {
	requests, hours := cost.ReadRequests, cost.ReadHours
	if kind == capacity.Writes {
		requests, hours = cost.WriteRequests, cost.WriteHours
	}
	if f.use.OnDemand {
		return f.priced(requests, perSecond*monthSeconds/1_000_000)
	}
	return f.priced(hours, perSecond*monthHours)
}

const (
	monthHours   = 730
	monthSeconds = monthHours * 3600
)

// average is the units a second of some minutes.
func average(minutes []float64) float64 {
	if len(minutes) == 0 {
		return 0
	}
	sum := 0.0
	for _, units := range minutes {
		sum += units
	}
	return sum / float64(len(minutes)) / 60
}

// of is what a kind of units was consumed of a resource in each minute.
func of(r *cost.Resource, kind capacity.Kind) []float64 {
	if kind == capacity.Reads {
		return r.Read
	}
	return r.Write
}

// itemBytes is the size of an item on average.
func itemBytes(r *cost.Resource) float64 {
	if r.Items == 0 {
		return 0
	}
	return math.Round(float64(r.Bytes) / float64(r.Items))
}

// kindNames are how the kinds are called in a sentence.
var kindNames = [capacity.Kinds]string{"read", "write"}
