package advice_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/advice"
	"stator/internal/model/capacity"
	"stator/internal/model/cost"
	"stator/internal/model/table"
)

// The scripts in testdata tell how a table is used, and show what there is to say of it. Each begins with a table that was used for a day.
//
//	used [NAME] [read=N] [write=N] [provisioned=R,W] [items=N] [item-bytes=N]   units a second, of the table or an index
//	operation NAME requests=N [examined=N] [returned=N]
//	partition [NAME] id=N kind=read|write units=N key=K share=F
//	wrote|read items=N bytes=N                        items of one size
//	refused [NAME] kind=read|write requests=N
//	find
func TestFind(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		use := advice.Use{
			Workload: cost.Workload{Table: "music", From: day}, OnDemand: true, Operations: map[string]advice.Operation{},
			Since: day, Until: day.Add(24 * time.Hour),
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "find" {
				return shown(use)
			}
			number := func(name string) (n int64) {
				if d.HasArg(name) {
					d.ScanArgs(t, name, &n)
				}
				return n
			}
			name := ""
			if len(d.CmdArgs) > 0 && len(d.CmdArgs[0].Vals) == 0 {
				name = d.CmdArgs[0].Key
			}
			if d.Cmd == "operation" {
				use.Operations[name] = advice.Operation{Requests: number("requests"), Examined: number("examined"), Returned: number("returned")}
				return ""
			}
			switch sized := (advice.Sized{Items: number("items"), Bytes: number("items") * number("bytes")}); d.Cmd {
			case "wrote":
				use.Written = append(use.Written, sized)
				return ""
			case "read":
				use.Read = append(use.Read, sized)
				return ""
			}
			metered, own := resource(&use, name)
			kind := capacity.Reads
			if d.HasArg("kind") && slices.Contains(argument(d, "kind"), "write") {
				kind = capacity.Writes
			}
			switch d.Cmd {
			case "used":
				metered.Read, metered.Write = steadily(number("read")), steadily(number("write"))
				metered.Items, metered.Bytes = number("items"), number("items")*number("item-bytes")
				if d.HasArg("provisioned") {
					use.OnDemand = false
					d.ScanArgs(t, "provisioned", &own.Provisioned.Read, &own.Provisioned.Write)
				}
			case "refused":
				own.Refused[kind] = uint64(number("requests"))
			case "partition":
				p := advice.Partition{ID: uint64(number("id"))}
				p.PerSecond[kind] = float64(number("units"))
				p.Hottest[kind].Key = argument(d, "key")
				d.ScanArgs(t, "share", &p.Hottest[kind].Share)
				own.Partitions = append(own.Partitions, p)
			default:
				d.Fatalf(t, "no command %s", d.Cmd)
			}
			return ""
		})
	})
}

func argument(d *datadriven.TestData, name string) []string {
	at := slices.IndexFunc(d.CmdArgs, func(a datadriven.CmdArg) bool { return a.Key == name })
	return d.CmdArgs[at].Vals
}

// resource is the table's or an index's, made if it is not there.
func resource(use *advice.Use, name string) (*cost.Resource, *advice.Resource) {
	at := slices.IndexFunc(use.Workload.Resources, func(r cost.Resource) bool { return r.Name == name })
	if at < 0 {
		at = len(use.Resources)
		use.Workload.Resources = append(use.Workload.Resources, cost.Resource{Name: name})
		use.Resources = append(use.Resources, advice.Resource{Provisioned: table.Throughput{}})
	}
	return &use.Workload.Resources[at], &use.Resources[at]
}

// steadily is a day's minutes of so many units a second.
func steadily(perSecond int64) []float64 {
	minutes := make([]float64, 24*60)
	for i := range minutes {
		minutes[i] = float64(60 * perSecond)
	}
	return minutes
}

func shown(use advice.Use) string {
	prices, _ := cost.List(cost.DefaultList)
	var b strings.Builder
	for _, f := range advice.Find(use, prices) {
		fmt.Fprintf(&b, "%s %s", f.Pitfall, f.Resource)
		if f.Monthly != nil {
			fmt.Fprintf(&b, ": %.2f a month", math.Round(*f.Monthly*100)/100)
		}
		fmt.Fprintf(&b, "\n  seen: %s\n  change: %s\n", f.Seen, f.Change)
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}
