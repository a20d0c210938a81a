package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"stator/internal/cluster/insight"
)

type explainCommand struct {
	Throttle explainThrottleCommand `cmd:"" help:"Tell why requests to a table were throttled in the last hour."`
}

// tableQuestion is a question about a table, at the admin door.
type tableQuestion struct {
	Table string `arg:"" help:"Which table."`
	JSON  bool   `name:"json" help:"Answer in JSON."`

	Server adminFlags `embed:""`
}

// ask reads what the door tells into answer. It tells whether that is to be shown: in JSON it has been.
func (q *tableQuestion) ask(s streams, verb string, answer any) (show bool, err error) {
	if !q.JSON {
		return true, q.Server.tell(verb, q.Table, answer)
	}
	text, err := q.Server.ask(http.MethodGet, verb, url.Values{"table": {q.Table}})
	if err == nil {
		_, err = s.Out.Write(text)
	}
	return false, err
}

type explainThrottleCommand struct {
	tableQuestion `embed:""`
}

// Help says what is told.
func (explainThrottleCommand) Help() string {
	return `For every limit that refused requests to the table or an index of it within the last hour: what was asked of it and what it lets through, which
keys were asked for, how their partitions came to be, and what would help. With 'serve --capacity report' it tells what would have been refused.

Any node of a cluster can be asked, and asks the others. What a node remembers ends with its process.

Example:

    stator explain throttle music`
}

// Run asks the server, and prints what it tells.
func (c *explainThrottleCommand) Run(s streams) error {
	var e insight.Explanation
	show, err := c.ask(s, "/throttles", &e)
	if err != nil || !show {
		return err
	}
	return printExplanation(s.Out, &e)
}

func printExplanation(to io.Writer, e *insight.Explanation) error {
	verb := "were"
	switch e.Capacity {
	case "off":
		_, err := fmt.Fprintln(to, nobodyCounts)
		return err
	case "report":
		verb = "would have been"
	}
	if len(e.Throttles) == 0 {
		fmt.Fprintf(to, "No requests to table %s %s throttled in the last hour.\n", e.Table, verb)
	} else {
		fmt.Fprintf(to, "%s to table %s %s throttled in the last hour, by %s.\n", plural(int(e.Requests), "request"), e.Table, verb, plural(len(e.Throttles), "limit"))
	}
	for i := range e.Throttles {
		if err := printThrottle(to, i+1, &e.Throttles[i], verb); err != nil {
			return err
		}
	}
	printMissing(to, e.Missing)
	if e.Lost > 0 {
		fmt.Fprintf(to, "\nOf %d more throttled requests, to whatever tables, nothing is remembered: there were too many kinds of them.\n", e.Lost)
	}
	return nil
}

// printMissing names the nodes of which an answer tells nothing.
func printMissing(to io.Writer, missing []insight.Missing) {
	for _, m := range missing {
		fmt.Fprintf(to, "\nNode %d did not answer, and what it knows is missing: %s.\n", m.Node, m.Cause)
	}
}

func printThrottle(to io.Writer, number int, t *insight.Throttle, verb string) error {
	of := "the table"
	if t.Index != "" {
		of = "index " + t.Index
	}
	fmt.Fprintf(to, "\n%d. %s of %s: %s %s throttled (%s).\n", number, capital(t.Kind), of, plural(int(t.Requests), "request"), verb, t.Reason)
	worst := worstOf(t.Minutes)
	inPart := ""
	if worst.Asked <= t.PerSecond {
		inPart = ", more in a part of it"
	}
	fmt.Fprintf(to, "   The limit is %s: %.0f units a second. In the worst minute, %s, %.1f were asked for and %.1f served%s.\n", t.Limit, t.PerSecond,
		worst.Time.Format("15:04"), worst.Asked, worst.Consumed, inPart)
	for _, line := range t.Help {
		fmt.Fprintf(to, "   - %s\n", line)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n   MINUTE (UTC)\tTHROTTLED\tASKED/S\tSERVED/S\tLIMIT/S\n")
	for i := range t.Minutes {
		m := &t.Minutes[i]
		fmt.Fprintf(w, "   %s\t%d\t%.1f\t%.1f\t%.0f\n", m.Time.Format("15:04"), m.Requests, m.Asked, m.Consumed, m.PerSecond)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(t.Ranges) > 0 {
		fmt.Fprintf(w, "\n   PARTITION\tFROM\tTO\tTHROTTLED\tASKED FOR\n")
		for i := range t.Ranges {
			r := &t.Ranges[i]
			fmt.Fprintf(w, "   %d\t%s\t%s\t%d\t%s\n", r.Partition, cmp.Or(r.From, "the ring's beginning"), cmp.Or(r.To, "its end"), r.Requests,
				cmp.Or(r.Key, "several keys"))
		}
	}
	if len(t.Splits) > 0 {
		fmt.Fprintf(w, "\n   SPLIT (UTC)\tPARTITION\tINTO\tAT\n")
		for i := range t.Splits {
			s := &t.Splits[i]
			fmt.Fprintf(w, "   %s\t%d\t%d and %d\t%s\n", s.Time.Format("2006-01-02 15:04"), s.Parent, s.Parent, s.Child, s.At)
		}
	}
	return w.Flush()
}

// worstOf is the minute in which most was asked for.
func worstOf(minutes []insight.Minute) insight.Minute {
	worst := insight.Minute{}
	for i := range minutes {
		if minutes[i].Asked >= worst.Asked {
			worst = minutes[i]
		}
	}
	return worst
}

func capital(text string) string { return string(text[0]-'a'+'A') + text[1:] }
