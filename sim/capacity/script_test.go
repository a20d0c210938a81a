package capacity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/sim/capacity"
)

// The scripts in testdata know
//
//	table provisioned=UNITS | on-demand [partitions=COUNT]   a table with its items, of so many writes a second
//	scale min=UNITS max=UNITS percent=TARGET                 its writes are scaled
//	warm UNITS                                               so many writes a second are to be served at once
//	ask PER-SECOND for=MINUTES [hot=PERCENT]                 a row for all minutes that are alike
//	alone                                                    whether the hot item has a partition for itself
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var w *capacity.World
		minute := 0
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			number := func(name string, otherwise int) int {
				d.MaybeScanArgs(t, name, &otherwise)
				return otherwise
			}
			switch d.Cmd {
			case "table":
				w = opened(t, number("provisioned", 0), number("partitions", 0))
				return ""
			case "scale":
				if err := w.Scale(number("min", 0), number("max", 0), number("percent", 0)); err != nil {
					t.Fatal(err)
				}
				return ""
			case "warm":
				if err := w.Warm(first(d)); err != nil {
					t.Fatal(err)
				}
				return ""
			case "ask":
				load, minutes := capacity.Load{PerSecond: first(d), Hot: number("hot", 0)}, number("for", 1)
				told, err := w.Ask(load, minutes)
				if err != nil {
					t.Fatal(err)
				}
				minute += minutes
				return shown(minute-minutes, told)
			case "alone":
				return fmt.Sprint(w.Alone())
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

// first is the number that a command begins with.
func first(d *datadriven.TestData) (n int) {
	fmt.Sscan(d.CmdArgs[0].Key, &n)
	return n
}

func opened(t *testing.T, provisioned, partitions int) *capacity.World {
	t.Helper()
	w, err := capacity.New(provisioned, partitions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// shown is a table of minutes, of which so many went before. Those that are alike have one row.
func shown(before int, told []capacity.Minute) string {
	var b strings.Builder
	b.WriteString("minute  asked  admitted  throttled  partitions  hottest  setting  reason\n")
	for at := 0; at < len(told); {
		end := at + 1
		for end < len(told) && told[end] == told[at] {
			end++
		}
		of := fmt.Sprint(before + end)
		if end > at+1 {
			of = fmt.Sprintf("%d-%d", before+at+1, before+end)
		}
		m := told[at]
		row := fmt.Sprintf("%6s%7d%10d%11d%12d%9d%9d  %s", of, m.Asked, m.Admitted, m.Throttled, m.Partitions, m.Hottest, m.Setting, m.Reasons)
		b.WriteString(strings.TrimRight(row, " ") + "\n")
		at = end
	}
	return b.String()
}
