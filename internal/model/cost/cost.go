// Package cost is what a metered workload would cost under each of DynamoDB's ways of paying. It does not know where the workload was
// metered, nor any price of its own.
package cost

import (
	"math"
	"slices"
	"time"
)

// Workload is what was metered of a table.
type Workload struct {
	Table     string     `json:"table"`
	From      time.Time  `json:"from"` // when the first of the minutes began
	Resources []Resource `json:"resources"`
	// StreamReads are the requests for the records of its streams in these minutes; nil = they were not metered.
	StreamReads *float64 `json:"streamReads,omitempty"`
}

// Resource is a table, or one of its indexes.
type Resource struct {
	Name  string    `json:"name,omitempty"` // of the index, "" = the table
	Read  []float64 `json:"read"`           // units in each minute
	Write []float64 `json:"write"`
	Bytes int64     `json:"bytes"`
	Items int64     `json:"items"`
	// Local is an index whose units are its table's.
	Local bool `json:"local,omitempty"`
	// Scaling is how it would be scaled automatically.
	ReadScaling  Scaling `json:"readScaling"`
	WriteScaling Scaling `json:"writeScaling"`
}

// The ways of paying.
const (
	OnDemand = "on-demand"
	Fixed    = "provisioned, fixed"
	Scaled   = "provisioned, auto scaling"
	Reserved = "provisioned, reserved"
)

// Bill is what a month would cost in one way of paying.
type Bill struct {
	Way   string  `json:"way"`
	Lines []Line  `json:"lines"`
	Total float64 `json:"total"`
	// Missing is what has no price: the total is without it.
	Missing []string `json:"missing,omitempty"`
	// Throttled is the share of all units that would not have been there in the minute that asked for them.
	Throttled float64 `json:"throttled"`
}

// Line is one item of a bill.
type Line struct {
	Resource string   `json:"resource,omitempty"` // the index, "" = the table
	What     string   `json:"what"`
	Setting  string   `json:"setting,omitempty"`
	Quantity float64  `json:"quantity"` // in a month
	Price    *float64 `json:"price"`    // of one, null = there is none
	Cost     float64  `json:"cost"`
}

// Constants of bills.
const (
	monthHours    = 730
	itemBytes     = 100 // what storage is billed for besides each item's own bytes (semantics §2.7)
	gigabyte      = 1 << 30
	reservedBlock = 100
)

// Bills are those of every way of paying.
func Bills(w Workload, p Prices) []Bill {
	b := biller{workload: w, prices: p}
	return []Bill{b.bill(OnDemand), b.bill(Fixed), b.bill(Scaled), b.bill(Reserved)}
}

type biller struct {
	workload Workload
	prices   Prices
}

func (b *biller) bill(way string) Bill {
	bill := Bill{Way: way}
	asked, short := 0.0, 0.0
	for i := range b.workload.Resources {
		r := &b.workload.Resources[i]
		for _, u := range r.uses() {
			asked += sum(u.minutes)
			short += b.throughput(&bill, u)
		}
		b.add(&bill, Line{Resource: r.Name, What: Storage, Quantity: float64(r.Bytes+r.Items*itemBytes) / gigabyte})
	}
	if reads := b.workload.StreamReads; reads != nil {
		b.add(&bill, Line{What: StreamReads, Quantity: *reads / 100_000 * b.months()})
	}
	if asked > 0 {
		bill.Throttled = short / asked
	}
	return bill
}

// throughput adds what reads or writes of one resource cost, and returns the units that would have been throttled.
func (b *biller) throughput(bill *Bill, u use) (short float64) {
	if bill.Way == OnDemand {
		b.add(bill, Line{Resource: u.resource, What: u.requests, Quantity: sum(u.minutes) / 1_000_000 * b.months()})
		return 0
	}
	if bill.Way == Scaled {
		replayed := u.scaling.replay(u.minutes, b.workload.From)
		b.add(bill, Line{
			Resource: u.resource, What: u.hours, Setting: replayed.String(), Quantity: replayed.units * monthHours,
		})
		return replayed.short
	}
	units := least(u.minutes)
	blocks := int64(0)
	if bill.Way == Reserved {
		blocks = units / reservedBlock
	}
	if blocks > 0 {
		b.add(bill, Line{Resource: u.resource, What: u.reserved, Setting: setting(blocks * reservedBlock), Quantity: float64(blocks*reservedBlock) * monthHours})
	}
	if rest := units - blocks*reservedBlock; rest > 0 {
		b.add(bill, Line{Resource: u.resource, What: u.hours, Setting: setting(rest), Quantity: float64(rest) * monthHours})
	}
	return 0
}

// add prices a line.
func (b *biller) add(bill *Bill, l Line) {
	if l.Quantity == 0 {
		return
	}
	price, ok := b.prices.Prices[l.What]
	if ok {
		l.Price, l.Cost = &price.Price, l.Quantity*price.Price
		bill.Total += l.Cost
	} else {
		bill.miss(l.What)
	}
	bill.Lines = append(bill.Lines, l)
}

func (b *Bill) miss(what string) {
	if !slices.Contains(b.Missing, what) {
		b.Missing = append(b.Missing, what)
	}
}

// months is how many times the metered minutes go into a month.
func (b *biller) months() float64 {
	minutes := b.workload.Minutes()
	if minutes == 0 {
		return 0
	}
	return monthHours * 60 / float64(minutes)
}

// Trim leaves out the minutes before anything was consumed.
func (w *Workload) Trim() {
	first := w.Minutes()
	for _, r := range w.Resources {
		for _, minutes := range [][]float64{r.Read, r.Write} {
			if at := slices.IndexFunc(minutes, func(units float64) bool { return units > 0 }); at >= 0 {
				first = min(first, at)
			}
		}
	}
	for i := range w.Resources {
		r := &w.Resources[i]
		r.Read, r.Write = r.Read[min(first, len(r.Read)):], r.Write[min(first, len(r.Write)):]
	}
}

// Minutes is how many of them were metered.
func (w *Workload) Minutes() int {
	most := 0
	for _, r := range w.Resources {
		most = max(most, len(r.Read), len(r.Write))
	}
	return most
}

// use is what was consumed of one resource's reads or writes, and by which names it is billed.
type use struct {
	resource                  string
	minutes                   []float64
	scaling                   Scaling
	requests, hours, reserved string
}

func (r *Resource) uses() []use {
	if r.Local {
		return nil
	}
	return []use{
		{r.Name, r.Read, r.ReadScaling, ReadRequests, ReadHours, ReservedReads},
		{r.Name, r.Write, r.WriteScaling, WriteRequests, WriteHours, ReservedWrites},
	}
}

func sum(minutes []float64) float64 {
	total := 0.0
	for _, units := range minutes {
		total += units
	}
	return total
}

// least is the smallest fixed setting by which nothing would be throttled if the minutes came again and again: what is saved up in the end
// is there in the beginning, but no burst that nobody saved up. A table or index has one unit at least.
func least(minutes []float64) int64 {
	most := 0.0
	for _, units := range minutes {
		most = max(most, units)
	}
	low, high := int64(1), max(1, int64(math.Ceil(most/60)))
	for low < high {
		middle := (low + high) / 2
		burst := bank{}
		burst.spend(minutes, middle)
		if burst.spend(minutes, middle) == 0 {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
