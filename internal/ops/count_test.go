package ops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/base/metric"
	"stator/internal/partition/command"
)

// ticking is a clock that has moved by a millisecond whenever it is looked at.
type ticking struct{ now time.Time }

func (c *ticking) Now() time.Time {
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// The scripts in testdata/counted perform operations, and show what was counted of them:
//
//	refuse throttled|broken|nothing   what becomes of every write from here on
//	counted                           the counters by table and operation
func TestCounted(t *testing.T) {
	datadriven.Walk(t, "testdata/counted", func(t *testing.T, path string) {
		ops, naive := newTestOps(t)
		ops.transactions = oneByOne{naive}
		ops.account.Requests, ops.account.Clock = metric.NewTables(len(Counted)), &ticking{}
		calls := ops.Calls()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "refuse":
				naive.refuse = refusing(d.CmdArgs[0].Key)
				if d.CmdArgs[0].Key == "broken" {
					naive.refuse = func(*command.Command) (command.Result, error) { return command.Result{}, errors.New("disk on fire") }
				}
				return ""
			case "counted":
				return shownCounts(ops)
			}
			if _, err := calls[d.Cmd](context.Background(), []byte(d.Input), nil); err != nil {
				return shownError(err)
			}
			return "done\n"
		})
	})
}

func shownCounts(ops *Ops) string {
	var b strings.Builder
	for _, table := range []string{"hash", "pair"} {
		t, _ := ops.catalog.Table(table)
		asked := ops.account.Requests.Table(t.ID).Asked()
		for _, number := range slices.Sorted(maps.Keys(asked)) {
			served := asked[number]
			latency := served.Latency.Snapshot()
			fmt.Fprintf(&b, "%s %s: %d in %v", table, Counted[number], latency.Count, latency.Sum)
			fmt.Fprintf(&b, ", %d throttled, %d faults, %d of %d returned\n", served.Throttled.Load(), served.Faults.Load(),
				served.Returned.Load(), served.Examined.Load())
		}
	}
	return b.String()
}

// An operation that is counted costs no more memory than one that is not.
func TestCountingAllocatesNothing(t *testing.T) {
	ops, _ := newTestOps(t)
	ops.router = &echoRouter{item: decoded(t, `{"pk":{"S":"a"}}`)}
	ops.account.Clock = &ticking{}
	allocations := func() float64 {
		call, body, out := ops.Calls()["PutItem"], []byte(`{"TableName":"hash","Item":{"pk":{"S":"a"}}}`), []byte(nil)
		return testing.AllocsPerRun(200, func() { out, _ = call(context.Background(), body, out[:0]) })
	}
	without := allocations()
	ops.account.Requests = metric.NewTables(len(Counted))
	if with := allocations(); with != without {
		t.Errorf("%v allocations, %v where nobody counts", with, without)
	}
}
