package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/txn"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// meter is a server that enforces throughput, under a clock that a script moves.
type meter struct {
	ops    *Ops
	router *naiveRouter
	budget *budget.Budget
	now    time.Duration
}

// The scripts in testdata/capacity speak to the operations as clients do, in JSON. Besides operations, which they may repeat (N times,
// what came of it is counted), they know
//
//	provisioned TABLE [INDEX] read=N write=N   the throughput of a table or of one of its indexes
//	on-demand TABLE [max-write=N] [warm-write=N]
//	rest DURATION                              nobody asks for a while
//	refuse throttled|nothing                   the partitions refuse every write from here on, and what transactions read beside another
//	                                           item, or nothing
//	spent                                      what was consumed and refused since the last time, by the id of a table or index
func TestAdmission(t *testing.T) {
	datadriven.Walk(t, "testdata/capacity", func(t *testing.T, path string) {
		m := newMeter()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "provisioned", "on-demand":
				m.set(t, d)
				return ""
			case "rest":
				length, err := time.ParseDuration(d.CmdArgs[0].Key)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				m.now += length
				return ""
			case "refuse":
				m.router.refuse = refusing(d.CmdArgs[0].Key)
				return ""
			case "spent":
				return m.spent()
			}
			return m.call(t, d)
		})
	})
}

func newMeter() *meter {
	m := &meter{}
	m.budget = budget.New(budget.Options{Now: func() time.Duration { return m.now }})
	tables := []*table.Table{hashTable(), pairTable()}
	m.router = &naiveRouter{tables: tables, items: map[uint64]map[string]attr.Map{}}
	account := Account{Region: "us-east-1", Number: "000000000000", Admission: m.budget}
	m.ops = New(m.router, oneByOne{m.router}, &tableCatalog{tables: tables}, account)
	return m
}

// set changes a table's settings. Its units are those of a second from here on.
func (m *meter) set(t *testing.T, d *datadriven.TestData) {
	catalog := m.ops.catalog.(*tableCatalog)
	before, ok := catalog.Table(d.CmdArgs[0].Key)
	if !ok {
		d.Fatalf(t, "no table %s", d.CmdArgs[0].Key)
	}
	after := before.Clone()
	set, warm, onDemand := &after.Throughput, &after.Warm, &after.OnDemand
	if len(d.CmdArgs) > 1 && len(d.CmdArgs[1].Vals) == 0 {
		ix, _ := after.GlobalIndex(d.CmdArgs[1].Key)
		set, warm, onDemand = &ix.Throughput, &ix.Warm, &ix.OnDemand
	}
	after.Billing = table.OnDemandBilling
	if d.Cmd == "provisioned" {
		after.Billing = table.Provisioned
	}
	for name, into := range map[string]*int64{"read": &set.Read, "write": &set.Write, "max-write": &onDemand.Write, "warm-write": &warm.Write} {
		if d.HasArg(name) {
			d.ScanArgs(t, name, into)
		}
	}
	catalog.tables[slices.Index(catalog.tables, before)] = after
	m.budget.Keep(func(uint64) bool { return false })
}

// call performs an operation, perhaps several times, and shows what came of it: the same answers in a row are counted.
func (m *meter) call(t *testing.T, d *datadriven.TestData) string {
	call, ok := m.ops.Calls()[d.Cmd]
	if !ok {
		d.Fatalf(t, "no operation %s", d.Cmd)
	}
	times := 1
	if len(d.CmdArgs) > 0 {
		var err error
		if times, err = strconv.Atoi(d.CmdArgs[0].Key); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	var b strings.Builder
	last, count := "", 0
	flush := func() {
		if count > 1 {
			fmt.Fprintf(&b, "%d times ", count)
		}
		b.WriteString(last)
	}
	for range times {
		out, err := call(context.Background(), []byte(d.Input), nil)
		shown := string(out) + "\n"
		if err != nil {
			shown = shownThrottle(err)
		}
		if shown != last && count > 0 {
			flush()
			count = 0
		}
		last = shown
		count++
	}
	flush()
	return b.String()
}

// shownThrottle is shownError with the reasons of a transaction.
func shownThrottle(err error) string {
	text := shownError(err)
	if refused, ok := err.(*api.Error); ok { //nolint:errorlint // an operation wraps nothing
		for _, r := range refused.CancellationReasons {
			text += "  " + *r.Code + ": " + value(r.Message) + "\n"
		}
	}
	return text
}

func (m *meter) spent() string {
	turned := m.budget.Turn()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(turned)) {
		tally := turned[id]
		fmt.Fprintf(&b, "%d: read %v write %v", id, tally.Consumed[0], tally.Consumed[1])
		fmt.Fprintf(&b, ", throttled read %d write %d\n", tally.Throttled(0), tally.Throttled(1))
	}
	return b.String()
}

// oneByOne performs the actions of a transaction one after the other, which is enough for one that all of them allow.
type oneByOne struct{ router *naiveRouter }

func (n oneByOne) Write(ctx context.Context, q txn.Request) (txn.Outcome, error) {
	var outcome txn.Outcome
	for _, c := range q.Actions {
		result, err := n.router.Write(ctx, c)
		if err != nil {
			return txn.Outcome{}, err
		}
		if result.Refusal != command.Accepted {
			outcome.Refusal = command.Cancelled
		}
		outcome.Results = append(outcome.Results, result)
	}
	return outcome, nil
}

func (n oneByOne) Read(ctx context.Context, gets []command.Get) (seen []command.Seen, moving []bool, err error) {
	for i, g := range gets {
		if n.router.refuse != nil {
			if result, _ := n.router.refuse(nil); result.Refusal == command.Throttled && i > 0 {
				return nil, nil, &command.BeyondBound{At: []int{i}}
			}
		}
		found, err := n.router.Read(ctx, g)
		if err != nil {
			return nil, nil, err
		}
		seen = append(seen, command.Seen{Item: found.Item, Size: found.Size})
	}
	return seen, nil, nil
}
