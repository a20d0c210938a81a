package advice

import (
	"fmt"
	"math"
	"strings"

	"stator/internal/model/capacity"
	"stator/internal/model/cost"
)

// When a way of use is worth a word.
const (
	// hotShare is how much of a partition's bound is served where there is little room left, keyShare how much of it one key takes where
	// cutting the partition does not help.
	hotShare = 0.8
	keyShare = 0.5
	// largeBytes is the size beyond which items are large, largeShare how much of what is written or read they are.
	largeBytes = 8 << 10
	largeShare = 0.1
	// scanShare is how much of the reads are those of scans.
	scanShare = 0.2
	// idleShare is how much of what is provisioned stands idle; below it is what a table needs for what may come.
	idleShare = 0.3
)

// hotPartitions looks for partitions that have been asked for more than they serve, or nearly.
func (f *finder) hotPartitions() {
	for i := range f.use.Resources {
		r := &f.use.Resources[i]
		for kind := range capacity.Kinds {
			at, served := hottest(r.Partitions, kind)
			bound := capacity.PartitionBounds[kind].PerSecond
			if r.Refused[kind] == 0 && served < hotShare*bound {
				continue
			}
			found := Finding{Pitfall: HotPartitions, Resource: f.metered(i).Name, Throttled: r.Refused[kind]}
			found.Seen = fmt.Sprintf("a partition serves %.0f %s units a second: %d requests were beyond that in a day", bound, kindNames[kind], r.Refused[kind])
			found.Change = "spread the keys: add a suffix to the partition key that is written most, or cache what is read most"
			if at != nil {
				key := at.Hottest[kind]
				found.Seen += fmt.Sprintf("; partition %d serves %.0f now, %.0f %% of them under the key %s", at.ID, served, 100*key.Share, strings.Join(key.Key, " "))
				if key.Share < keyShare {
					found.Change = fmt.Sprintf("split it: 'stator split %s', or wait until it is split for its heat", f.use.Table)
				}
			}
			f.add(found)
		}
	}
}

// hottest is the partition that serves most units of a kind, nil if none serves any.
func hottest(all []Partition, kind capacity.Kind) (at *Partition, served float64) {
	for i := range all {
		if all[i].PerSecond[kind] > served {
			at, served = &all[i], all[i].PerSecond[kind]
		}
	}
	return at, served
}

// largeItems looks for items whose units are mostly those of their size: one that is split by what is used together is written a kilobyte
// at a time, and read four. A few large ones among many small ones would not show in what an item has on average. Where none are counted there is
// no more to judge by than that, of the items that are stored.
func (f *finder) largeItems() {
	table := f.metered(0)
	written, read := weigh(f.use.Written, capacity.Writes), weigh(f.use.Read, capacity.Reads)
	known := written.items+read.items > 0
	if !known {
		held := []Sized{{Items: table.Items, Bytes: table.Bytes}}
		written, read = weigh(held, capacity.Writes), weigh(held, capacity.Reads)
	}
	if max(written.share(), read.share()) < largeShare {
		return
	}
	bytes := float64(written.largeBytes+read.largeBytes) / float64(written.large+read.large)
	found := Finding{Pitfall: LargeItems, Seen: fmt.Sprintf("an item has %.1f KB on average", bytes/1024)}
	if known {
		found.Seen = fmt.Sprintf("%.0f %% of the items written and %.0f %% of those read have more than %d KB, %.1f KB on average",
			100*written.share(), 100*read.share(), largeBytes>>10, bytes/1024)
	}
	found.Seen += fmt.Sprintf(": each such write costs %.0f units, each strong read %.0f", capacity.Write(0, int(bytes)), capacity.Read(int64(bytes), true))
	found.Change = "keep what is read and changed often in items of its own, and compress what is left or put it into a bucket"
	if paid := f.units(capacity.Writes, average(table.Write)*written.beyond()); paid != nil {
		found.Monthly = paid
		if reads := f.units(capacity.Reads, average(table.Read)*read.beyond()); reads != nil {
			*paid += *reads
		}
	}
	f.add(found)
}

// weight is what items cost, and what the large ones among them cost beyond their first unit.
type weight struct {
	items, large, largeBytes int64
	units, saved             float64
}

func weigh(sizes []Sized, kind capacity.Kind) (w weight) {
	for _, s := range sizes {
		if s.Items == 0 {
			continue
		}
		each := capacity.Read(s.Bytes/s.Items, true)
		if kind == capacity.Writes {
			each = capacity.Write(0, int(s.Bytes/s.Items))
		}
		w.items += s.Items
		w.units += each * float64(s.Items)
		if s.Bytes > largeBytes*s.Items {
			w.large += s.Items
			w.largeBytes += s.Bytes
			w.saved += (each - 1) * float64(s.Items)
		}
	}
	return w
}

// share is the part of the items that is large, beyond the part of the units that are saved if none is.
func (w *weight) share() float64  { return float64(w.large) / max(1, float64(w.items)) }
func (w *weight) beyond() float64 { return w.saved / max(1, w.units) }

// scans looks for reads of whole tables. What they read is reckoned from the items that they looked at.
func (f *finder) scans() {
	scan, ok := f.use.Operations["Scan"]
	seconds := f.use.Until.Sub(f.use.Since).Seconds()
	if !ok || seconds <= 0 {
		return
	}
	table := f.metered(0)
	perSecond := float64(scan.Examined) * itemBytes(table) / capacity.ReadUnitBytes / 2 / seconds
	all := max(average(table.Read), perSecond)
	if perSecond < scanShare*all || scan.Examined == 0 {
		return
	}
	found := Finding{Pitfall: Scans, Monthly: f.units(capacity.Reads, perSecond)}
	found.Seen = fmt.Sprintf("%d scans looked at %d items and returned %d: some %.0f %% of all units read",
		scan.Requests, scan.Examined, scan.Returned, 100*perSecond/all)
	found.Change = "query by a key: make a global index of what the scans look for, sparse if few items have it; export what is read whole"
	f.add(found)
}

// overProvisioning looks for units that are paid for and not used, and for the cheapest way to pay for what is.
func (f *finder) overProvisioning() {
	if f.use.OnDemand || f.use.Minutes() == 0 {
		return
	}
	paid, idle := 0.0, false
	seen := ""
	for i := range f.use.Resources {
		set := f.use.Resources[i].Provisioned
		for kind, units := range [capacity.Kinds]float64{float64(set.Read), float64(set.Write)} {
			if units == 0 {
				continue
			}
			price := f.units(capacity.Kind(kind), units)
			if price == nil {
				return
			}
			paid += *price
			used := average(of(f.metered(i), capacity.Kind(kind)))
			idle = idle || used < (1-idleShare)*units
			seen += fmt.Sprintf(", %.1f of %.0f %s units of %s", used, units, kindNames[kind], f.named(i))
		}
	}
	best := f.cheapest()
	if saved := paid - best.Total; idle && saved > idleShare*paid {
		f.add(Finding{
			Pitfall: OverProvisioning, Monthly: &saved, Seen: "a second uses on average" + seen[1:],
			Change: changes[best.Way] + f.settings(&best),
		})
	}
}

// named is how a sentence calls a resource.
func (f *finder) named(i int) string {
	if name := f.metered(i).Name; name != "" {
		return "index " + name
	}
	return "the table"
}

// changes are how a table comes to be paid for in another way.
var changes = map[string]string{
	cost.OnDemand: "pay by the request: UpdateTable with BillingMode PAY_PER_REQUEST",
	cost.Fixed:    "provision less, with UpdateTable: ",
	cost.Scaled:   "have it scaled (docs/scaling.md): ",
}

// cheapest is the bill of throughput that is lowest, storage left aside, among those that throttle nothing that is not throttled now.
func (f *finder) cheapest() cost.Bill {
	best := cost.Bill{Total: math.Inf(1)}
	for _, bill := range cost.Bills(f.use.Workload, f.prices) {
		if _, possible := changes[bill.Way]; !possible || bill.Throttled > 0.001 {
			continue
		}
		whole := true
		for _, line := range bill.Lines {
			switch {
			case line.What == cost.Storage || line.What == cost.StreamReads:
				bill.Total -= line.Cost
			case line.Price == nil:
				whole = false
			}
		}
		if whole && bill.Total < best.Total {
			best = bill
		}
	}
	return best
}

// settings are those of a bill, of everything that has one.
func (f *finder) settings(b *cost.Bill) string {
	text := ""
	for _, line := range b.Lines {
		if line.Setting == "" {
			continue
		}
		of := "the table"
		if line.Resource != "" {
			of = "index " + line.Resource
		}
		if text != "" {
			text += ", "
		}
		text += line.Setting + " to " + map[string]string{cost.ReadHours: "read", cost.WriteHours: "write"}[line.What] + " " + of
	}
	return text
}
