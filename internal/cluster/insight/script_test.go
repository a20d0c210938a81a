package insight_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/cluster/insight"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

// hour is the last hour of a table on two nodes.
type hour struct {
	entry    *catalog.Entry
	refusals [2]insight.Refusals
	heat     [2]insight.Heat
	consumed map[int64]budget.Minute
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// minute is so many minutes after noon.
func minute(n int) int64 { return noon.Unix()/60 + int64(n) }

const indexID = 200

// The scripts in testdata tell of an hour after noon and let it be explained:
//
//	table on-demand|provisioned [read=N] [write=N] [max=N] partitions=N      with an index by-year, of half the units
//	refuse KEY... [times=N] [node=N] [minute=N] [units=N] [reads] [index] [partition]
//	consume units=N [minute=N] [reads] [index]
//	serve partition=N units=N [node=N] [minute=N] [reads]
//	split partition=N child=N at=KEY [minute=N]
//	explain minute=N [capacity=report]
func TestExplain(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var h hour
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				h = newHour(t, d)
			case "refuse":
				h.refuse(t, d)
			case "consume":
				h.consume(t, d)
			case "serve":
				n, kind := number(t, d, "node", 0), kindOf(d)
				units := [capacity.Kinds]float64{}
				units[kind] = float64(number(t, d, "units", 0))
				h.heat[n].Add(uint64(number(t, d, "partition", 0)), minute(number(t, d, "minute", 0)), units)
			case "split":
				h.split(t, d)
			case "explain":
				return h.explain(t, d)
			default:
				d.Fatalf(t, "no command %s", d.Cmd)
			}
			return ""
		})
	})
}

func number(t *testing.T, d *datadriven.TestData, name string, otherwise int) int {
	n := otherwise
	if d.HasArg(name) {
		d.ScanArgs(t, name, &n)
	}
	return n
}

func kindOf(d *datadriven.TestData) capacity.Kind {
	if d.HasArg("reads") {
		return capacity.Reads
	}
	return capacity.Writes
}

func newHour(t *testing.T, d *datadriven.TestData) hour {
	units := table.Throughput{Read: int64(number(t, d, "read", 10)), Write: int64(number(t, d, "write", 10))}
	shop := &table.Table{
		ID: 100, Name: "shop", Billing: table.OnDemandBilling, Throughput: units,
		Key:      table.Key{Hash: []table.KeyAttribute{{Name: "user", Type: attr.S}}, Range: []table.KeyAttribute{{Name: "at", Type: attr.N}}},
		OnDemand: table.OnDemand{Write: int64(number(t, d, "max", 0))},
		Global: []table.Index{{
			ID: indexID, Name: "by-year", Key: table.Key{Hash: []table.KeyAttribute{{Name: "year", Type: attr.N}}},
			Throughput: table.Throughput{Read: units.Read / 2, Write: units.Write / 2},
		}},
	}
	if d.CmdArgs[0].Key == "provisioned" {
		shop.Billing = table.Provisioned
	}
	n := number(t, d, "partitions", 1)
	return hour{consumed: map[int64]budget.Minute{}, entry: &catalog.Entry{Table: shop, Partitions: map[uint64][]catalog.Partition{
		shop.ID: catalog.EvenPartitions(n, shop.ID+1), indexID: catalog.EvenPartitions(n, indexID+1),
	}}}
}

func (h *hour) payer(d *datadriven.TestData) capacity.Payer {
	p := capacity.Payer{Table: h.entry.Table}
	if d.HasArg("index") {
		p.Index = &h.entry.Table.Global[0]
	}
	return p
}

func suffix(user string) []byte {
	return keys.Suffix([]attr.Value{attr.String(user)}, []attr.Value{attr.Int(7)})
}

// holder is the partition of the table that holds a key.
func (h *hour) holder(key []byte) uint64 {
	for _, p := range h.entry.Partitions[h.entry.Table.ID] {
		if p.Bounds.Holds(key) {
			return p.ID
		}
	}
	return 0
}

func (h *hour) refuse(t *testing.T, d *datadriven.TestData) {
	r := capacity.Request{Payer: h.payer(d), Kind: kindOf(d), Units: float64(number(t, d, "units", 0))}
	by := r.Bound(r.Kind)
	if d.HasArg("partition") {
		by = capacity.PartitionBounds[r.Kind]
	}
	m := &h.refusals[number(t, d, "node", 0)]
	note := func(partition uint64) {
		for range number(t, d, "times", 1) {
			m.Note(&r, by, partition, minute(number(t, d, "minute", 0)))
		}
	}
	walk := true
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 && !slices.Contains([]string{"reads", "index", "partition"}, arg.Key) {
			walk = false
			r.Key = suffix(arg.Key)
			note(h.holder(r.Key))
			clear(r.Key) // it is not kept
		}
	}
	if walk {
		note(0)
	}
}

func (h *hour) consume(t *testing.T, d *datadriven.TestData) {
	var tally capacity.Tally
	tally.Consumed[kindOf(d)] = float64(number(t, d, "units", 0))
	at := minute(number(t, d, "minute", 0))
	if h.consumed[at] == nil {
		h.consumed[at] = budget.Minute{}
	}
	h.consumed[at].Add(budget.Minute{h.payer(d).ID(): tally})
}

func (h *hour) split(t *testing.T, d *datadriven.TestData) {
	var at string
	d.ScanArgs(t, "at", &at)
	s := catalog.Reservation{
		Table: h.entry.Table.ID, Parent: uint64(number(t, d, "partition", 0)), Child: uint64(number(t, d, "child", 0)),
		At: suffix(at), Millis: minute(number(t, d, "minute", 0)) * 60_000,
	}
	h.entry = h.entry.Finished(s)
	all := h.entry.Partitions[s.Table]
	i := slices.IndexFunc(all, func(p catalog.Partition) bool { return p.ID == s.Parent })
	right := all[i]
	right.ID, right.Bounds.Lower = s.Child, s.At
	all[i].Bounds.Upper = s.At
	h.entry.Partitions[s.Table] = slices.Insert(all, i+1, right)
}

func (h *hour) explain(t *testing.T, d *datadriven.TestData) string {
	f := insight.Facts{Entry: h.entry, Capacity: "enforce", Now: noon.Add(time.Duration(number(t, d, "minute", 0)) * time.Minute), Consumed: h.consumed}
	if d.HasArg("capacity") {
		d.ScanArgs(t, "capacity", &f.Capacity)
	}
	var partitions []uint64
	for _, p := range h.entry.Partitions[h.entry.Table.ID] {
		partitions = append(partitions, p.ID)
	}
	for i := range h.refusals {
		f.Refused.Add(h.refusals[i].Of([]uint64{h.entry.Table.ID, indexID}, f.Now.Unix()/60-insight.Minutes))
		f.Served = insight.Hotter(f.Served, h.heat[i].Of(partitions))
	}
	text, err := json.MarshalIndent(insight.Explain(&f), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintln(string(text))
}
