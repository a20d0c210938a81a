package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/base/clock"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// counting is a source of randomness that tests can foretell.
type counting struct{ last byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.last++
		p[i] = c.last
	}
	return len(p), nil
}

// tableRoom is what a script about tables plays with.
type tableRoom struct {
	catalog *memoryCatalog
	clock   *clock.Manual
	log     *bytes.Buffer
	calls   map[string]api.Call
}

func newTableRoom() *tableRoom {
	r := &tableRoom{catalog: newMemoryCatalog(), clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), log: &bytes.Buffer{}}
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	o := New(nil, nil, r.catalog, Account{
		Region: "us-east-1", Number: "000000000000", Address: "127.0.0.1:8000", Clock: r.clock, Random: &counting{}, Quotas: true,
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{ReplaceAttr: plain})),
	})
	r.calls = o.Calls()
	maps.Copy(r.calls, o.StreamCalls())
	// Both services have a TagResource.
	for name, call := range o.ScalingCalls() {
		r.calls["scaling/"+name] = call
	}
	return r
}

// The scripts in testdata/tables speak to the operations as clients do, in JSON, over a catalog in memory. With the argument "brief" an
// answer is shown as the tables' states, with "full" indented, and else as it is. Besides operations they know
//
//	settle            all jobs finish
//	adopt TABLE       the partitions of TABLE have taken notice of its last change
//	later DURATION    the clock moves on
//	hold WHAT I B     TABLE, or TABLE/INDEX, holds I items of B bytes
//	partitions        the numbers of partitions that tables were created with
//	race              somebody else changes the next table to be changed first
//	log               what was logged since the last time
func TestTableOperations(t *testing.T) {
	datadriven.Walk(t, "testdata/tables", func(t *testing.T, path string) {
		room := newTableRoom()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if call, ok := room.calls[d.Cmd]; ok {
				return room.answer(call, d)
			}
			return room.play(t, d)
		})
	})
}

func (r *tableRoom) answer(call api.Call, d *datadriven.TestData) string {
	out, err := call(context.Background(), []byte(d.Input), nil)
	switch {
	case err != nil:
		return shownError(err)
	case len(out) == 0:
		return "(empty body)\n"
	case d.HasArg("brief"):
		return r.brief()
	case d.HasArg("full"):
		var indented bytes.Buffer
		if err := json.Indent(&indented, out, "", " "); err != nil {
			return fmt.Sprintf("%v: %s", err, out)
		}
		return indented.String() + "\n"
	default:
		return string(out) + "\n"
	}
}

func (r *tableRoom) play(t *testing.T, d *datadriven.TestData) string {
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	line := strings.Join(args, " ")
	switch d.Cmd {
	case "settle":
		r.catalog.settle()
		return r.brief()
	case "adopt":
		r.catalog.adopt(line)
		return r.brief()
	case "later":
		by, err := time.ParseDuration(line)
		if err != nil {
			d.Fatalf(t, "later: %v", err)
		}
		r.clock.Advance(by)
		return ""
	case "hold":
		var what string
		var count table.Count
		if _, err := fmt.Sscan(line, &what, &count.Items, &count.Bytes); err != nil {
			d.Fatalf(t, "hold: %v", err)
		}
		r.catalog.held[what] = count
		return ""
	case "partitions":
		return fmt.Sprintln(r.catalog.partitions)
	case "race":
		r.catalog.races = 1
		return ""
	case "log":
		defer r.log.Reset()
		return r.log.String()
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return ""
}

// brief shows every table with its state and those of its indexes.
func (r *tableRoom) brief() string {
	var b strings.Builder
	for _, name := range r.catalog.Names() {
		t := r.catalog.tables[name]
		fmt.Fprintf(&b, "%s %s", name, t.State)
		for i := range t.Global {
			ix := &t.Global[i]
			fmt.Fprintf(&b, " %s:%s", ix.Name, ix.Status)
			if ix.Backfilling {
				b.WriteString(":backfilling")
			}
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "no tables\n"
	}
	return b.String()
}

func TestTagPages(t *testing.T) {
	tags := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
	for limit := 1; limit <= 6; limit++ {
		var keys, after string
		for pages := 0; ; pages++ {
			if pages > len(tags) {
				t.Fatalf("limit %d: the pages do not end", limit)
			}
			page, next := tagPage(tags, after, limit)
			if len(page) > limit || (len(page) == 0 && next != "") {
				t.Fatalf("limit %d: a page of %d tags, next %q", limit, len(page), next)
			}
			for _, tag := range page {
				keys += *tag.Key + *tag.Value
			}
			if after = next; next == "" {
				break
			}
		}
		if keys != "a1b2c3d4e5" {
			t.Errorf("limit %d: got %s", limit, keys)
		}
	}
}

func TestPartitionsOf(t *testing.T) {
	for _, c := range []struct {
		billing              table.Billing
		read, write          int64 // provisioned, or warm
		override, partitions int
	}{
		{table.OnDemandBilling, 12_000, 4_000, 0, 4},
		{table.OnDemandBilling, 12_001, 4_000, 0, 5},
		{table.OnDemandBilling, 12_000, 40_000, 0, 40},
		{table.OnDemandBilling, 12_000, 4_000, 64, 64},
		{table.OnDemandBilling, table.UnitsMax, table.UnitsMax, 0, capacity.PartitionsMax},
		{table.Provisioned, 1, 1, 0, 1},
		{table.Provisioned, 1500, 500, 0, 1},
		{table.Provisioned, 1500, 501, 0, 2},
		{table.Provisioned, 3001, 0, 0, 2},
		{table.Provisioned, 9000, 2000, 0, 5},
		{table.Provisioned, 9000, 2000, 1, 1},
		{table.Provisioned, table.UnitsMax, table.UnitsMax, 0, capacity.PartitionsMax},
	} {
		o := New(nil, nil, nil, Account{Partitions: c.override})
		units := table.Throughput{Read: c.read, Write: c.write}
		if got := o.partitionsOf(&table.Table{Billing: c.billing, Throughput: units, Warm: units.Warm()}); got != c.partitions {
			t.Errorf("%+v: got %d", c, got)
		}
	}
	index := table.Index{Warm: table.Warm{Write: 9_000}}
	if got := New(nil, nil, nil, Account{}).partitionsOf(&table.Table{Billing: table.OnDemandBilling, Warm: table.WarmOnDemand, Global: []table.Index{index}}); got != 9 {
		t.Errorf("an index that is warm for nine partitions: got %d", got)
	}
}
