package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"stator/internal/cluster/insight"
	"stator/internal/model/table"
)

type insightsCommand struct {
	tableQuestion `embed:""`
}

// Help says what is told.
func (insightsCommand) Help() string {
	return `The keys that are asked for and throttled most, of the table and the global indexes whose contributor insights are turned on (by
UpdateContributorInsights). What came a minute ago counts half, what came two minutes ago a quarter.

Example:

    aws dynamodb update-contributor-insights --table-name music --contributor-insights-action ENABLE
    stator insights music`
}

// Run asks the server, and prints what it tells.
func (c *insightsCommand) Run(s streams) error {
	var r insight.Report
	show, err := c.ask(s, "/insights", &r)
	if err != nil || !show {
		return err
	}
	return printInsights(s.Out, &r)
}

// rulesInWords say what each rule counts, and in what.
var rulesInWords = map[table.Rule][2]string{
	table.AccessedPartitions:  {"Partition keys asked for most", "UNITS/S"},
	table.AccessedItems:       {"Items asked for most", "UNITS/S"},
	table.ThrottledPartitions: {"Partition keys throttled most", "REQUESTS/S"},
	table.ThrottledItems:      {"Items throttled most", "REQUESTS/S"},
}

func printInsights(to io.Writer, r *insight.Report) error {
	switch {
	case r.Capacity == "off":
		_, err := fmt.Fprintln(to, nobodyCounts)
		return err
	case len(r.Resources) == 0:
		_, err := fmt.Fprintf(to, "Contributor insights of table %s are off: turn them on with UpdateContributorInsights.\n", r.Table)
		return err
	}
	fmt.Fprintln(to, "A unit is one of a read; one of a write counts three.")
	for i := range r.Resources {
		of := "table " + r.Table
		if r.Resources[i].Index != "" {
			of = "index " + r.Resources[i].Index
		}
		for _, rule := range r.Resources[i].Rules {
			words := rulesInWords[rule.Kind]
			fmt.Fprintf(to, "\n%s, of %s (%s)\n", words[0], of, rule.Rule)
			w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "  %s\tKEY\n", words[1])
			for _, key := range rule.Keys {
				fmt.Fprintf(w, "  %.1f\t%s\n", key.PerSecond, key.Key)
			}
			if len(rule.Keys) == 0 {
				fmt.Fprintf(w, "  none\n")
			}
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if n := r.Resources[i].Uncounted; n > 0 {
			fmt.Fprintf(to, "\n%s counted none of these keys: a node counts those of %d tables and indexes at most.\n", plural(n, "node"), insight.CountedMax)
		}
	}
	printMissing(to, r.Missing)
	return nil
}
