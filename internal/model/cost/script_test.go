package cost

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// The stories of testdata/scripts. `resource` begins a table or an index with what it holds; `read` and `write` let minutes pass, a
// stretch a line, "15m 40" with so many units in each second; `streams` counts requests for records; `bills` shows what a month would cost.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := Workload{Table: "music", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "resource":
				r := Resource{}
				d.MaybeScanArgs(t, "index", &r.Name)
				d.MaybeScanArgs(t, "items", &r.Items)
				d.MaybeScanArgs(t, "bytes", &r.Bytes)
				w.Resources = append(w.Resources, r)
			case "read":
				w.Resources[len(w.Resources)-1].Read = minutes(t, d.Input)
			case "write":
				w.Resources[len(w.Resources)-1].Write = minutes(t, d.Input)
			case "streams":
				var reads float64
				d.ScanArgs(t, "reads", &reads)
				w.StreamReads = &reads
			case "bills":
				name := DefaultList
				d.MaybeScanArgs(t, "prices", &name)
				prices, ok := List(name)
				if d.Input != "" {
					if err := json.Unmarshal([]byte(d.Input), &prices); err != nil {
						return err.Error()
					}
				} else if !ok {
					t.Fatalf("no list of prices %s", name)
				}
				return shown(Bills(w, prices))
			default:
				t.Fatalf("%s: no such command", d.Cmd)
			}
			return ""
		})
	})
}

func minutes(t *testing.T, input string) []float64 {
	t.Helper()
	var all []float64
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		length, err := time.ParseDuration(f[0])
		if err != nil {
			t.Fatal(err)
		}
		rate, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		for range int(length / time.Minute) {
			all = append(all, rate*60)
		}
	}
	return all
}

func shown(bills []Bill) string {
	var b strings.Builder
	for _, bill := range bills {
		fmt.Fprintf(&b, "%s: %.2f, throttled %.2f %%", bill.Way, bill.Total, 100*bill.Throttled)
		if bill.Missing != nil {
			fmt.Fprintf(&b, ", without %s", strings.Join(bill.Missing, "; "))
		}
		fmt.Fprintln(&b)
		for _, l := range bill.Lines {
			name := l.Resource
			if name == "" {
				name = "table"
			}
			fmt.Fprintf(&b, "  %s: %.3f x %s (%s) = %.2f\n", name, l.Quantity, l.What, l.Setting, l.Cost)
		}
	}
	return b.String()
}

func TestListsAreWhole(t *testing.T) {
	for _, name := range Lists() {
		if p, ok := List(name); !ok || p.Currency == "" {
			t.Errorf("the list %s cannot be read", name)
		}
	}
	if _, ok := List(DefaultList); !ok {
		t.Errorf("there is no list %s", DefaultList)
	}
}

func TestParsePricesRefuses(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"currency": "USD"}`, `{"currency": "USD", "prices": {"mile": {"price": 1, "source": "s", "date": "d"}}}`,
		`{"currency": "USD", "prices": {"GB-month": {"price": -1, "source": "s", "date": "d"}}}`,
		`{"currency": "USD", "prices": {"GB-month": {"price": 1, "date": "d"}}}`,
		`{"currency": "USD", "prices": {"GB-month": {"price": 1, "source": "s"}}}`,
	} {
		if p, err := ParsePrices([]byte(text)); err == nil {
			t.Errorf("%s is taken for %+v", text, p)
		}
	}
}
