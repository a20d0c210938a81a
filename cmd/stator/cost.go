package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"stator/internal/model/cost"
)

type costCommand struct {
	Table  string `arg:"" help:"Which table."`
	Prices string `default:"us-east-1" placeholder:"FILE" help:"A list of prices in JSON, or the name of one that comes with the program: us-east-1, case-study (${default})."`
	JSON   bool   `name:"json" help:"Answer in JSON."`

	Server adminFlags `embed:""`
}

// Help says what is worked out.
func (costCommand) Help() string {
	return `What the table's workload, as it was metered, would cost in a month of 730 hours: on demand; provisioned with the smallest
setting that throttles nothing; with auto scaling, replayed minute by minute; and with that setting's whole hundreds reserved.

Example:

    stator cost music
    stator cost music --prices mine.json

A list of prices is a file such as

    {"name": "mine", "currency": "USD", "prices": {"GB-month": {"price": 0.25, "source": "the invoice", "date": "2026-11-01"}}}

with prices of: ` + strings.Join(cost.Priced, "; ") + `.`
}

// costAnswer is the answer in JSON.
type costAnswer struct {
	Workload cost.Workload `json:"workload"`
	Prices   cost.Prices   `json:"prices"`
	Bills    []cost.Bill   `json:"bills"`
}

// Run asks the server for what it metered, and prices that.
func (c *costCommand) Run(s streams) error {
	answer := costAnswer{}
	var err error
	if answer.Prices, err = readPrices(c.Prices); err != nil {
		return err
	}
	if err := c.Server.tell("/workload", c.Table, &answer.Workload); err != nil {
		return err
	}
	answer.Bills = cost.Bills(answer.Workload, answer.Prices)
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(answer)
	}
	return printCost(s.Out, &answer)
}

// readPrices reads a list from a file, or finds one that comes with the program.
func readPrices(name string) (cost.Prices, error) {
	if prices, ok := cost.List(name); ok {
		return prices, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return cost.Prices{}, fmt.Errorf("there is no file %s, and no list of prices of that name: there are %s", name, strings.Join(cost.Lists(), ", "))
	}
	if err != nil {
		return cost.Prices{}, fmt.Errorf("cannot read the prices: %w", err)
	}
	prices, err := cost.ParsePrices(text)
	if err != nil {
		return cost.Prices{}, fmt.Errorf("%s: %w", name, err)
	}
	return prices, nil
}

func printCost(to io.Writer, a *costAnswer) error {
	minutes := a.Workload.Minutes()
	if minutes == 0 {
		fmt.Fprintf(to, "Nothing was metered of table %s yet: what follows is what it costs at rest.\n\n", a.Workload.Table)
	} else {
		fmt.Fprintf(to, "A month of 730 hours of table %s, from %d minutes metered since %s, in %s at the prices of %s.\n\n",
			a.Workload.Table, minutes, a.Workload.From.UTC().Format("2006-01-02 15:04 UTC"), a.Prices.Currency, a.Prices.Name)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for i := range a.Bills {
		printBill(w, &a.Bills[i])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if a.Workload.StreamReads == nil {
		fmt.Fprintln(to, "Requests for the records of streams were not metered and are not billed.")
	}
	sources := map[string]bool{}
	for _, what := range cost.Priced {
		if p, ok := a.Prices.Prices[what]; ok && !sources[p.Source+p.Date] {
			sources[p.Source+p.Date] = true
			fmt.Fprintf(to, "Prices: %s, %s.\n", p.Source, p.Date)
		}
	}
	return nil
}

func printBill(w io.Writer, b *cost.Bill) {
	least := ""
	if len(b.Missing) > 0 {
		least = "at least "
	}
	fmt.Fprintf(w, "%s\t\t\t%s\t%.2f\n", strings.ToUpper(b.Way), least, b.Total)
	for i := range b.Lines {
		l := &b.Lines[i]
		of, price := "table", "no price"
		if l.Resource != "" {
			of = "index " + l.Resource
		}
		if l.Price != nil {
			price = fmt.Sprintf("at %g", *l.Price)
		}
		fmt.Fprintf(w, "  %s\t%s\t%.3f x %s\t%s\t%.2f\n", of, l.Setting, l.Quantity, l.What, price, l.Cost)
	}
	if b.Throttled > 0 {
		fmt.Fprintf(w, "  %.2f %% of the units would have been throttled at first\n", 100*b.Throttled)
	}
	if len(b.Missing) > 0 {
		fmt.Fprintf(w, "  not in the total, for want of a price: %s\n", strings.Join(b.Missing, "; "))
	}
	fmt.Fprintln(w)
}
