package capacity_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// step is how often a script's clients ask.
const step = 10 * time.Millisecond

// world is one table's writes under a clock that a script moves. Its minutes are kept as the metering of a node keeps them.
type world struct {
	table   table.Table
	bucket  capacity.Bucket
	now     time.Duration
	skew    time.Duration // of the clock that the bucket is told
	owed    float64       // parts of a request that add up over the steps
	minutes []float64     // units consumed
}

// The scripts in testdata know
//
//	table provisioned=UNITS | on-demand [max=UNITS] [warm=UNITS]   a new table; of one that is there only the settings change
//	ask PER-SECOND for=DURATION [units=UNITS]                      requests that cost so much; a row for all minutes that are alike
//	rest DURATION                                                  nobody asks
//	clock DURATION                                                 the clock is set forward, or back
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		var w *world
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				first := w == nil
				if first {
					w = &world{table: table.Table{ID: 100, Name: "t"}}
				}
				w.set(t, d)
				if first {
					w.bucket = capacity.NewBucket(w.bound(), w.now)
				}
				return fmt.Sprintf("%v units a second, refused by %v", w.bound().PerSecond, w.bound().Limit)
			case "ask":
				var perSecond int
				var length string
				units := 1.0
				fmt.Sscan(d.CmdArgs[0].Key, &perSecond)
				d.ScanArgs(t, "for", &length)
				if d.HasArg("units") {
					var n int
					d.ScanArgs(t, "units", &n)
					units = float64(n)
				}
				return w.ask(float64(perSecond), units, duration(t, length))
			case "rest":
				return w.ask(0, 0, duration(t, d.CmdArgs[0].Key))
			case "clock":
				w.skew += duration(t, d.CmdArgs[0].Key)
				return ""
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (w *world) set(t *testing.T, d *datadriven.TestData) {
	scan := func(name string, into *int64) {
		if d.HasArg(name) {
			d.ScanArgs(t, name, into)
		}
	}
	w.table.Billing = table.Provisioned
	if d.HasArg("on-demand") {
		w.table.Billing = table.OnDemandBilling
		w.table.Warm = w.table.Warm.Raised(table.WarmOnDemand)
	}
	scan("provisioned", &w.table.Throughput.Write)
	scan("max", &w.table.OnDemand.Write)
	scan("warm", &w.table.Warm.Write)
}

func (w *world) payer() capacity.Payer { return capacity.Payer{Table: &w.table} }
func (w *world) bound() capacity.Bound { return w.payer().Bound(capacity.Writes) }

// ask lets time pass. Every request is known to cost one unit when it comes, and what it costs besides once it is through.
func (w *world) ask(perSecond, units float64, length time.Duration) string {
	var b strings.Builder
	var row, last minute
	since, began := w.now, w.now
	flush := func(until time.Duration) {
		if last != (minute{}) {
			fmt.Fprintf(&b, "%v to %v, each minute: %v\n", since, until, last)
		}
	}
	for end := w.now + length; w.now < end; {
		for w.owed += perSecond * step.Seconds(); w.owed >= 1; w.owed-- {
			row.asked++
			if !w.bucket.Take(w.bound(), w.now+w.skew, 1) {
				row.refused++
				continue
			}
			w.bucket.Charge(units - 1)
			row.admitted++
			w.consume(units)
		}
		w.now += step
		if w.now%time.Minute != 0 && w.now < end {
			continue
		}
		row.saved = int(math.Round(w.bucket.Level(w.bound(), w.now+w.skew)))
		if perSecond > 0 && row != last {
			flush(began)
			since, last = began, row
		}
		row, began = minute{}, w.now
		if w.now%time.Minute == 0 {
			w.grow()
		}
	}
	flush(w.now)
	return b.String()
}

// minute is what came of the requests of one.
type minute struct{ asked, admitted, refused, saved int }

func (m minute) String() string {
	return fmt.Sprintf("asked %d, admitted %d, refused %d, saved %d", m.asked, m.admitted, m.refused, m.saved)
}

func (w *world) consume(units float64) {
	minute := int(w.now / time.Minute)
	for len(w.minutes) <= minute {
		w.minutes = append(w.minutes, 0)
	}
	w.minutes[minute] += units
}

// grow takes the minute into account that has become old enough.
func (w *world) grow() {
	old := int((w.now-capacity.PeakAge)/time.Minute) - 1
	if w.table.Billing == table.OnDemandBilling && old >= 0 && old < len(w.minutes) {
		w.table.Warm = capacity.Grown(w.table.Warm, [capacity.Kinds]float64{capacity.Writes: w.minutes[old]})
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
