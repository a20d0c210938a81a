package table

import (
	"fmt"
	"time"
)

// Throughput is provisioned capacity in units per second, zeros for an on-demand table or index, with the marks of its last changes.
type Throughput struct {
	Read            int64 `json:"read,omitempty"`
	Write           int64 `json:"write,omitempty"`
	IncreasedMillis int64 `json:"increasedMillis,omitempty"` // epoch milliseconds, 0 = never
	DecreasedMillis int64 `json:"decreasedMillis,omitempty"` // epoch milliseconds, 0 = never
	Decreases       int64 `json:"decreases,omitempty"`       // how many on the UTC day of DecreasedMillis

	// Before is what it was before a change that partitions have yet to adopt, nil when there is none under way.
	Before *Throughput `json:"before,omitempty"`
}

// Described is what the service shows the units of: the new ones once the change is over.
func (t Throughput) Described() Throughput {
	if t.Before != nil {
		return *t.Before
	}
	return t
}

// Check is the text against units over the bound; of ends it, "" for a table's.
func (t Throughput) Check(of string) string {
	if t.Read > UnitsMax {
		return fmt.Sprintf("Given value %d for ReadCapacityUnits is out of bounds%s", t.Read, of)
	}
	if t.Write > UnitsMax {
		return fmt.Sprintf("Given value %d for WriteCapacityUnits is out of bounds%s", t.Write, of)
	}
	return ""
}

// Warm is the throughput that a provisioned table or index serves at once.
func (t Throughput) Warm() Warm { return Warm{Read: t.Read, Write: t.Write} }

// Units are those of reads or of writes.
func (t Throughput) Units(write bool) int64 {
	if write {
		return t.Write
	}
	return t.Read
}

// ProvisionedUnits are the units of reads or of writes that a table and its global indexes are provisioned with together.
func (t *Table) ProvisionedUnits(write bool) int64 {
	if t.Billing != Provisioned || t.State == Deleting {
		return 0
	}
	units := t.Throughput.Units(write)
	for i := range t.Global {
		if t.Global[i].Status != IndexDeleting {
			units += t.Global[i].Throughput.Units(write)
		}
	}
	return units
}

// With is t with other units of reads or of writes.
func (t Throughput) With(write bool, units int64) Throughput {
	if write {
		t.Write = units
	} else {
		t.Read = units
	}
	return t
}

// SameUnits reports whether reads and writes have the same units in both.
func (t Throughput) SameUnits(u Throughput) bool { return t.Read == u.Read && t.Write == u.Write }

// Decreases of provisioned throughput on one UTC day: some are free, then each has to wait after the last (semantics §4, §17.11).
const (
	decreasesFree    = 4
	decreasesMax     = 27
	decreaseInterval = time.Hour
)

// Changed is t with the units of wanted and the marks of a change at a moment, or the text against one decrease too many. Units that were
// zero, as those of an on-demand table are, do not count as an increase.
func (t Throughput) Changed(wanted Throughput, now time.Time) (Throughput, string) {
	next := t
	next.Read, next.Write = wanted.Read, wanted.Write
	if t.Read == 0 && t.Write == 0 {
		return next, ""
	}
	if wanted.Read < t.Read || wanted.Write < t.Write {
		today, last := t.DecreasesToday(now), time.UnixMilli(t.DecreasedMillis)
		if today >= decreasesMax || (today >= decreasesFree && now.Sub(last) < decreaseInterval) {
			return t, tooManyDecreases(today, last)
		}
		next.Decreases, next.DecreasedMillis = today+1, now.UnixMilli()
	}
	if wanted.Read > t.Read || wanted.Write > t.Write {
		next.IncreasedMillis = now.UnixMilli()
	}
	return next, ""
}

// DecreasesToday counts the decreases on the UTC day of now.
func (t Throughput) DecreasesToday(now time.Time) int64 {
	const day = "2006-01-02"
	if time.UnixMilli(t.DecreasedMillis).UTC().Format(day) != now.UTC().Format(day) {
		return 0
	}
	return t.Decreases
}

func tooManyDecreases(today int64, last time.Time) string {
	const layout = "Monday, January 2, 2006 3:04:05 PM UTC"
	return fmt.Sprintf("Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. "+
		"Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
		decreasesFree, int(decreaseInterval.Seconds()), today, last.UTC().Format(layout), last.UTC().Add(decreaseInterval).Format(layout))
}

// OnDemand bounds an on-demand table's or index's units per second; 0 = not bounded.
type OnDemand struct {
	Read  int64 `json:"read,omitempty"`
	Write int64 `json:"write,omitempty"`
}

// OnDemandCleared is the member value that takes a bound away.
const OnDemandCleared = -1

// Merged is o with the members that were sent; OnDemandCleared takes a bound away (semantics §17.8).
func (o OnDemand) Merged(w OnDemandWish) OnDemand {
	if w.Read != nil {
		o.Read = max(0, *w.Read)
	}
	if w.Write != nil {
		o.Write = max(0, *w.Write)
	}
	return o
}

// Check is the text against a bound that is no positive number, or against any on a table with provisioned throughput. of is "table" or
// "index : " with an index's name.
func (w OnDemandWish) Check(billing Billing, of string) string {
	for _, m := range []struct {
		name string
		sent *int64
	}{{"MaxReadRequestUnits", w.Read}, {"MaxWriteRequestUnits", w.Write}} {
		switch {
		case m.sent == nil:
		case billing == Provisioned:
			return invalid + m.name + " for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
		case *m.sent <= 0 || *m.sent > UnitsMax:
			return invalid + "Requested " + m.name + " for OnDemandThroughput for " + of + " is outside of valid range"
		}
	}
	return ""
}

// CheckInitial is Check for what is created, a table or the index of that name.
func (w OnDemandWish) CheckInitial(billing Billing, index string) string {
	of, to := "table", ""
	if index != "" {
		of, to = "index : "+index, " for index: "+index
	}
	switch {
	case billing != Provisioned || w == (OnDemandWish{}):
		return w.Check(billing, of)
	case w.Read != nil:
		return invalid + "MaxReadRequestUnits for OnDemandThroughput" + to + " cannot be specified when table BillingMode is PROVISIONED."
	default:
		return invalid + "MaxWriteRequestUnits for OnDemandThroughput" + to + " cannot be specified when table BillingMode is PROVISIONED."
	}
}

// WithoutClears is w without the members that take a bound away: what is left has to be in range.
func (w OnDemandWish) WithoutClears() OnDemandWish { return w.only(false) }

// Clears is w with nothing but the members that take a bound away.
func (w OnDemandWish) Clears() OnDemandWish { return w.only(true) }

// only is w with the members that take a bound away, or with the others.
func (w OnDemandWish) only(clears bool) OnDemandWish {
	for _, member := range []**int64{&w.Read, &w.Write} {
		if *member != nil && (**member == OnDemandCleared) != clears {
			*member = nil
		}
	}
	return w
}

// Warm is the throughput in units per second that a table or index serves at once. It only grows (semantics §17.8). Of a wish, a member that
// was not sent is 0, and one that was sent as 0 is -1, which is below all that there is.
type Warm struct {
	Read  int64 `json:"read,omitempty"`
	Write int64 `json:"write,omitempty"`
}

// WarmOnDemand is what every on-demand table and index serves at once.
var WarmOnDemand = Warm{Read: 12_000, Write: 4_000}

// Raised is the larger of both in each member.
func (w Warm) Raised(v Warm) Warm {
	return Warm{Read: max(w.Read, v.Read), Write: max(w.Write, v.Write)}
}

// Check is the text against a wish for more than there can be.
func (w Warm) Check(of string) string {
	for _, m := range w.members() {
		if m.units > UnitsMax {
			return invalid + "Requested " + m.name + " for WarmThroughput for " + of + " is outside of valid range"
		}
	}
	return ""
}

// CheckInitial is the text against a wish for a new table or index below what it serves at once in any case.
func (w Warm) CheckInitial(billing Billing, units Throughput, of string) string {
	least := units.Warm().members()
	if billing == OnDemandBilling {
		least = WarmOnDemand.members()
	}
	for i, m := range w.members() {
		if m.units == 0 || m.units >= least[i].units {
			continue
		}
		text := invalid + "Requested " + m.name + " for WarmThroughput for " + of + " is lower than "
		if billing == OnDemandBilling {
			return text + "initial throughput for OnDemand. See: " + initialOnDemandGuide
		}
		return text + m.capacity + " of ProvisionedThroughput"
	}
	return w.Check(of)
}

const initialOnDemandGuide = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html" +
	"#on-demand-capacity-mode-initial"

// CheckGrowth is the text against a wish below what is there.
func (w Warm) CheckGrowth(wish Warm, of string) string {
	now := w.members()
	for i, m := range wish.members() {
		if m.units != 0 && m.units < now[i].units {
			return invalid + "Requested " + m.name + " for WarmThroughput for " + of +
				" is lower than current WarmThroughput, decreasing WarmThroughput is not supported"
		}
	}
	return ""
}

type warmMember struct {
	name     string
	capacity string // its like in ProvisionedThroughput
	units    int64
}

func (w Warm) members() [2]warmMember {
	return [2]warmMember{{"ReadUnitsPerSecond", "ReadCapacityUnits", w.Read}, {"WriteUnitsPerSecond", "WriteCapacityUnits", w.Write}}
}

// Encryption is the server-side encryption that was asked for. It is kept to be described and has no other effect.
type Encryption struct {
	Enabled bool   `json:"enabled,omitempty"`
	Key     string `json:"key,omitempty"` // KMSMasterKeyId as sent, "" = the service's own KMS key
}
