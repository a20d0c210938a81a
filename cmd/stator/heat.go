package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"stator/internal/cluster/insight"
)

type heatCommand struct {
	tableQuestion `embed:""`
	SVG           string `name:"svg" placeholder:"FILE" help:"Draw it into FILE instead."`
}

// Help says how to read it.
func (heatCommand) Help() string {
	return `How hot the partitions of the table and its global indexes were in the last hour: a line a partition, in the order of the ring, and a column a
minute, the one under way last. The darker, the nearer to what one copy of a partition serves (3,000 reads or 1,000 writes a second): what
counts is the hottest copy, and the kind of which there was more. Where there are many partitions, a line is the hottest of several.

Example:

    stator heat music
    stator heat music --svg heat.svg`
}

// Run asks the server, and prints or draws what it tells.
func (c *heatCommand) Run(s streams) error {
	var r insight.Ring
	show, err := c.ask(s, "/heat", &r)
	if err != nil || !show {
		return err
	}
	if r.Capacity == "off" {
		_, err := fmt.Fprintln(s.Out, nobodyCounts)
		return err
	}
	if c.SVG == "" {
		return printRing(s.Out, &r)
	}
	if err := os.WriteFile(c.SVG, drawRing(&r), 0o644); err != nil {
		return fmt.Errorf("drawing the heat: %w", err)
	}
	return nil
}

const nobodyCounts = "Nothing is throttled or counted: the server runs with --capacity off."

// ringLinesMax is how many lines a ring is printed or drawn in.
const ringLinesMax = 64

// ringLine is one partition, or several that lie side by side.
type ringLine struct {
	name, from string
	shares     []float64 // the hottest partition's, of the hotter kind
	peak       float64
	peakKind   string
	peakMinute int
}

// ringLines are the lines of a space.
func ringLines(partitions []insight.Warm) (lines []ringLine) {
	together := (len(partitions) + ringLinesMax - 1) / ringLinesMax
	for side := range slices.Chunk(partitions, max(1, together)) {
		line := ringLine{name: fmt.Sprint(side[0].Partition), from: cmp.Or(side[0].From, "the beginning"), shares: make([]float64, insight.Minutes)}
		if len(side) > 1 {
			line.name += fmt.Sprintf(" and %d more", len(side)-1)
		}
		for i := range side {
			line.add("reads", side[i].Reads)
			line.add("writes", side[i].Writes)
		}
		lines = append(lines, line)
	}
	return lines
}

func (l *ringLine) add(kind string, shares []float64) {
	for minute, share := range shares[:min(len(shares), len(l.shares))] {
		l.shares[minute] = max(l.shares[minute], share)
		if share > l.peak {
			l.peak, l.peakKind, l.peakMinute = share, kind, minute
		}
	}
}

// shades are a minute's signs, from the share on that each begins with.
var shades = []struct {
	from float64
	sign rune
}{{1, '█'}, {0.75, '▓'}, {0.5, '▒'}, {0.25, '░'}, {0.0001, '·'}, {0, ' '}}

func shade(share float64) rune {
	for _, s := range shades {
		if share >= s.from {
			return s.sign
		}
	}
	return ' '
}

func printRing(to io.Writer, r *insight.Ring) error {
	first := r.Until.Add(-(insight.Minutes - 1) * time.Minute)
	fmt.Fprintf(to, "Heat of table %s, by the minute from %s to %s UTC, as a share of what one copy of a partition serves:\n", r.Table,
		first.Format("15:04"), r.Until.Format("15:04"))
	fmt.Fprintf(to, "· some   ░ from 25 %%   ▒ 50 %%   ▓ 75 %%   █ all of it\n")
	for i := range r.Spaces {
		s := &r.Spaces[i]
		fmt.Fprintf(to, "\n%s, %s\n", nameOf(s), plural(len(s.Partitions), "partition"))
		w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "PARTITION\tFROM\t%s\tMOST\n", scale(first))
		for _, line := range ringLines(s.Partitions) {
			signs := make([]rune, len(line.shares))
			for minute, share := range line.shares {
				signs[minute] = shade(share)
			}
			most := "-"
			if line.peak > 0 {
				most = fmt.Sprintf("%s of its %s at %s", percent(line.peak), line.peakKind, first.Add(time.Duration(line.peakMinute)*time.Minute).Format("15:04"))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", line.name, line.from, string(signs), most)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	printMissing(to, r.Missing)
	return nil
}

func percent(share float64) string {
	if share < 0.01 {
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// scale marks every tenth minute.
func scale(first time.Time) string {
	text := ""
	for at := range insight.Minutes / 10 {
		text += first.Add(time.Duration(10*at)*time.Minute).Format("15:04") + "     "
	}
	return text
}

func nameOf(s *insight.Space) string {
	if s.Index == "" {
		return "The table itself"
	}
	return "Index " + s.Index
}
