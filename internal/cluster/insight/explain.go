package insight

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

// Facts are what is known of a table's last hour.
type Facts struct {
	Entry *catalog.Entry
	// Capacity is off, report or enforce.
	Capacity string
	Now      time.Time
	Refused  Refusal
	// Consumed are the units that payers consumed, by minutes since the epoch.
	Consumed map[int64]budget.Minute
	// Served is what partitions served.
	Served []Served
}

// Explanation is why requests to a table were throttled, or would have been.
type Explanation struct {
	Table     string     `json:"table"`
	Capacity  string     `json:"capacity"`
	From      time.Time  `json:"from"`
	Until     time.Time  `json:"until"`
	Requests  uint64     `json:"requests"`
	Throttles []Throttle `json:"throttles"`
	// Lost counts requests to tables on the same nodes that were throttled, and of which nothing else is remembered.
	Lost uint64 `json:"lost,omitempty"`
	// Missing are the nodes that did not answer.
	Missing []Missing `json:"missing,omitempty"`
}

// Throttle is one limit of one resource, with what it refused.
type Throttle struct {
	Index     string   `json:"index,omitempty"`     // "": the table itself
	Kind      string   `json:"kind"`                // reads or writes
	Reason    string   `json:"reason"`              // DynamoDB's
	Limit     string   `json:"limit"`               // in words
	PerSecond float64  `json:"perSecond"`           // what it lets through
	Partition uint64   `json:"partition,omitempty"` // whose own limit it is
	Requests  uint64   `json:"requests"`
	Minutes   []Minute `json:"minutes"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Splits    []Split  `json:"splits,omitempty"`
	Help      []string `json:"help"`
}

// Minute is how hot it was.
type Minute struct {
	Time     time.Time `json:"time"`
	Requests uint64    `json:"requests"` // throttled
	// Consumed and Asked are units a second: what was let through, and with what was not.
	Consumed  float64 `json:"consumed"`
	Asked     float64 `json:"asked"`
	PerSecond float64 `json:"perSecond"` // the limit at that time
}

// Range is a partition whose keys were asked for.
type Range struct {
	Partition uint64 `json:"partition"`
	// From and To are its bounds on the ring, which are empty at its ends.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Key is the partition key that all the throttled requests asked for, if it is one; with Item it is the key of one item.
	Key      string `json:"key,omitempty"`
	Item     bool   `json:"item,omitempty"`
	Requests uint64 `json:"requests"`
}

// Split is one that a range came of.
type Split struct {
	Time   time.Time `json:"time,omitzero"`
	Parent uint64    `json:"parent"`
	Child  uint64    `json:"child"`
	At     string    `json:"at"`
}

// limit is what requests were refused by.
type limit struct {
	payer     uint64
	partition uint64 // of a partition's own limit
	kind      capacity.Kind
	limit     capacity.Limit
	// ofPartition tells that it is a partition's own, of whichever if partition is 0.
	ofPartition bool
}

// Explain tells by which limits requests were refused, the one that refused most first.
func Explain(f *Facts) Explanation {
	e := Explanation{
		Table: f.Entry.Table.Name, Capacity: f.Capacity, Until: f.Now, From: f.Now.Truncate(time.Minute).Add(-Minutes * time.Minute),
		Throttles: []Throttle{}, Lost: f.Refused.Lost,
	}
	rows := map[limit][]Refused{}
	for _, row := range f.Refused.Rows {
		of := limit{payer: row.Payer, kind: row.Kind, limit: row.Bound.Limit, ofPartition: row.Bound.OfPartition}
		if row.Bound.OfPartition {
			of.partition = row.Partition
		}
		rows[of] = append(rows[of], row)
	}
	for of, rows := range rows {
		if t, ok := f.throttle(of, rows); ok {
			e.Requests += t.Requests
			e.Throttles = append(e.Throttles, t)
		}
	}
	slices.SortFunc(e.Throttles, func(a, b Throttle) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Reason, b.Reason),
			cmp.Compare(a.Partition, b.Partition))
	})
	return e
}

// throttle explains the rows of one limit, in the order of time; not those of an index that is gone.
func (f *Facts) throttle(of limit, rows []Refused) (Throttle, bool) {
	payer := capacity.Payer{Table: f.Entry.Table}
	t := Throttle{Kind: "reads", Partition: of.partition}
	if of.payer != f.Entry.Table.ID {
		ix, ok := f.Entry.Table.GlobalIndexByID(of.payer)
		if !ok {
			return t, false
		}
		payer.Index, t.Index = ix, ix.Name
	}
	if of.kind == capacity.Writes {
		t.Kind = "writes"
	}
	bound := rows[len(rows)-1].Bound
	t.Reason, t.PerSecond, t.Limit = payer.Reason(of.kind, of.limit), bound.PerSecond, inWords(bound)
	for i := range rows {
		t.Requests += rows[i].Requests
	}
	t.Minutes = f.minutes(of, rows)
	t.Ranges = f.ranges(payer, rows)
	t.Splits = f.splits(of.payer, t.Ranges)
	t.Help = help(&t, payer, bound)
	return t, true
}

func inWords(b capacity.Bound) string {
	switch {
	case b.OfPartition:
		return "what one copy of a partition serves"
	case b.Limit == capacity.ProvisionedThroughput:
		return "what is provisioned"
	case b.Limit == capacity.MaxOnDemandThroughput:
		return "its maximum of request units"
	case b.Limit == capacity.AccountLimit:
		return "the account's quota for one table"
	}
	return "twice its previous peak"
}

// minutes add the rows up by the minute, beside what was consumed.
func (f *Facts) minutes(of limit, rows []Refused) (minutes []Minute) {
	for i := range rows {
		row := &rows[i]
		at := time.Unix(row.Minute*60, 0).UTC()
		if len(minutes) == 0 || !minutes[len(minutes)-1].Time.Equal(at) {
			minutes = append(minutes, Minute{Time: at})
		}
		m := &minutes[len(minutes)-1]
		m.Requests += row.Requests
		m.Asked += row.Units
		m.PerSecond = row.Bound.PerSecond
	}
	for i := range minutes {
		m := &minutes[i]
		seconds := min(60, max(1, f.Now.Sub(m.Time).Seconds()))
		m.Consumed = f.consumed(of, m.Time.Unix()/60) / seconds
		m.Asked /= seconds
		if f.Capacity == "report" {
			m.Asked = m.Consumed // nothing was refused
		} else {
			m.Asked += m.Consumed
		}
	}
	return minutes
}

// consumed are the units that were let through in a minute: of a partition's own limit what it served, if it is known which that was.
func (f *Facts) consumed(of limit, minute int64) float64 {
	if !of.ofPartition {
		return f.Consumed[minute][of.payer].Consumed[of.kind]
	}
	at := slices.IndexFunc(f.Served, func(s Served) bool { return s.Partition == of.partition })
	if at < 0 {
		return 0
	}
	return f.Served[at].At(minute)[of.kind]
}

// ranges add the rows up by partitions, the one with most first.
func (f *Facts) ranges(payer capacity.Payer, rows []Refused) (ranges []Range) {
	sums := map[uint64]*Refused{}
	for i := range rows {
		row := rows[i]
		if sum, ok := sums[row.Partition]; ok {
			sum.add(&row)
		} else {
			sums[row.Partition] = &row
		}
	}
	for _, p := range f.Entry.Partitions[payer.ID()] {
		sum, ok := sums[p.ID]
		if !ok {
			continue
		}
		r := Range{Partition: p.ID, From: onRing(p.Bounds.Lower), To: onRing(p.Bounds.Upper), Requests: sum.Requests}
		if key := sum.key(); key != nil {
			attributes := payer.Key().Hash
			r.Item = payer.Index == nil && bytes.Equal(sum.Lower, sum.Upper) && len(key) < keyBytesMax && len(keys.Show(key)) == payer.Key().Len()
			if r.Item {
				attributes = payer.Key().Attributes()
			}
			r.Key = named(attributes, key)
		}
		ranges = append(ranges, r)
	}
	slices.SortStableFunc(ranges, func(a, b Range) int { return cmp.Compare(b.Requests, a.Requests) })
	return ranges
}

// onRing writes a bound: the first half of its token, and the key that it cuts a collection at.
func onRing(bound []byte) string {
	if len(bound) == 0 {
		return ""
	}
	text := hex.EncodeToString(bound[:min(len(bound), keys.TokenBytes/2)])
	shown, behind := keys.ShowBound(bound)
	if behind {
		text += " behind"
	}
	if len(shown) > 0 {
		text += " " + strings.Join(shown, " ")
	}
	return text
}

// named writes the values that a key begins with behind their names.
func named(attributes []table.KeyAttribute, key []byte) string {
	values := keys.Show(key)
	var parts []string
	for i := range min(len(attributes), len(values)) {
		parts = append(parts, attributes[i].Name+" = "+values[i])
	}
	return strings.Join(parts, ", ")
}

// splits are those that the ranges came of, oldest first: a split's parent is the partition to the left, and keeps its id.
func (f *Facts) splits(payer uint64, ranges []Range) (splits []Split) {
	of := map[uint64]bool{}
	for _, r := range ranges {
		of[r.Partition] = true
	}
	for _, past := range slices.Backward(f.Entry.Past) {
		if past.Table != payer || !of[past.Parent] && !of[past.Child] {
			continue
		}
		of[past.Parent] = true
		s := Split{Parent: past.Parent, Child: past.Child, At: onRing(past.At)}
		if past.Millis != 0 {
			s.Time = time.UnixMilli(past.Millis).UTC()
		}
		splits = append(splits, s)
	}
	slices.Reverse(splits)
	return splits
}
