package main

import (
	"encoding/json"
	"fmt"
	"io"

	"stator/internal/model/advice"
	"stator/internal/model/cost"
)

type adviseCommand struct {
	Table  string `arg:"" help:"Which table."`
	Prices string `default:"us-east-1" placeholder:"FILE" help:"A list of prices, as for 'stator cost' (${default})."`
	JSON   bool   `name:"json" help:"Answer in JSON."`

	Server adminFlags `embed:""`
}

// Help says what is looked for.
func (adviseCommand) Help() string {
	return `Looks at how the table is used for the pitfalls that most tables fall into: hot partitions, large items, scans, units that are
provisioned and not used. Each is told with its numbers, what it would cost as a service, and the change that ends it.

Example:

    stator advise music`
}

// adviceAnswer is the answer in JSON.
type adviceAnswer struct {
	Use      advice.Use       `json:"use"`
	Prices   cost.Prices      `json:"prices"`
	Findings []advice.Finding `json:"findings"`
}

// Run asks the server how the table is used, and judges that.
func (c *adviseCommand) Run(s streams) error {
	answer := adviceAnswer{}
	var err error
	if answer.Prices, err = readPrices(c.Prices); err != nil {
		return err
	}
	if err := c.Server.tell("/use", c.Table, &answer.Use); err != nil {
		return err
	}
	answer.Findings = advice.Find(answer.Use, answer.Prices)
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(answer)
	}
	printAdvice(s.Out, &answer)
	return nil
}

func printAdvice(to io.Writer, a *adviceAnswer) {
	if minutes := a.Use.Minutes(); minutes > 0 {
		fmt.Fprintf(to, "Table %s, from %d minutes metered since %s.\n", a.Use.Table, minutes, a.Use.From.UTC().Format("2006-01-02 15:04 UTC"))
	} else {
		fmt.Fprintf(to, "Nothing was metered of table %s: 'stator serve --capacity report' meters and throttles nothing.\n", a.Use.Table)
	}
	if len(a.Findings) == 0 {
		fmt.Fprintln(to, "No hot partitions, large items, scans or idle units.")
	}
	for i := range a.Findings {
		f := &a.Findings[i]
		fmt.Fprintf(to, "\n%s%s: %s\n  seen    %s\n  change  %s\n", f.Pitfall, ofIndex(f.Resource), a.costOf(f), f.Seen, f.Change)
	}
}

func ofIndex(name string) string {
	if name == "" {
		return ""
	}
	return " of index " + name
}

// costOf is what a finding costs, in a few words.
func (a *adviceAnswer) costOf(f *advice.Finding) string {
	switch {
	case f.Monthly != nil:
		return fmt.Sprintf("%.2f %s a month of 730 hours", *f.Monthly, a.Prices.Currency)
	case f.Throttled > 0:
		return fmt.Sprintf("%d requests throttled in a day", f.Throttled)
	case f.Pitfall == advice.HotPartitions:
		return "none throttled yet"
	}
	return "no price for it in the list " + a.Prices.Name
}
