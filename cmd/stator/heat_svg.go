package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"time"

	"stator/internal/cluster/insight"
)

// Sizes of the drawing, in its own units.
const (
	plotWidth, cellHeight = 600, 16
	svgLeft, svgTop       = 420, 44
	svgGap                = 40
	// columnsMin is how many minutes are drawn at the least: of a table that is new few are worth it.
	columnsMin = 10
)

// drawing is a ring being drawn: the minutes from one on.
type drawing struct {
	bytes.Buffer
	from, cell int
}

// drawRing draws what printRing prints, from the first minute on in which anything was served.
func drawRing(r *insight.Ring) []byte {
	d := drawing{from: insight.Minutes - columnsMin}
	for i := range r.Spaces {
		for _, line := range ringLines(r.Spaces[i].Partitions) {
			if began := slices.IndexFunc(line.shares, func(share float64) bool { return share > 0 }); began >= 0 {
				d.from = min(d.from, began)
			}
		}
	}
	columns := insight.Minutes - d.from
	d.cell = plotWidth / columns
	y := svgTop
	for i := range r.Spaces {
		s := &r.Spaces[i]
		fmt.Fprintf(&d, "<text x=\"8\" y=\"%d\">%s</text>\n", y+12, html.EscapeString(nameOf(s)))
		for at := 0; at < columns; at += columns / columnsMin {
			minute := r.Until.Add(-time.Duration(columns-1-at) * time.Minute)
			fmt.Fprintf(&d, "<text x=\"%d\" y=\"%d\">%s</text>\n", svgLeft+at*d.cell, y+12, minute.Format("15:04"))
		}
		y += cellHeight + 4
		for _, line := range ringLines(s.Partitions) {
			d.line(&line, y)
			y += cellHeight
		}
		y += svgGap
	}
	head := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"8\" y=\"20\" font-size=\"14\">Heat of table %s until %s</text>\n",
		svgLeft+plotWidth+8, y, html.EscapeString(r.Table), r.Until.Format("2006-01-02 15:04 UTC"))
	return append(append([]byte(head), d.Bytes()...), "</svg>\n"...)
}

// line draws a cell for each minute in which anything was served, with its share to be read where the pointer rests.
func (d *drawing) line(line *ringLine, y int) {
	fmt.Fprintf(d, "<text x=\"8\" y=\"%d\">%s, from %s</text>\n", y+12, html.EscapeString(line.name), html.EscapeString(line.from))
	for at, share := range line.shares[d.from:] {
		if share > 0 {
			fmt.Fprintf(d, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s</title></rect>\n",
				svgLeft+at*d.cell, y, d.cell-1, cellHeight-1, color(share), percent(share))
		}
	}
}

// color goes from a pale yellow to red, which is all of the bound.
func color(share float64) string {
	cool := 1 - min(1, share)
	return fmt.Sprintf("#%02x%02x%02x", 200+int(55*cool), 20+int(225*cool), 20+int(160*cool))
}
