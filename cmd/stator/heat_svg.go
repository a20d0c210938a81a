package main

import (
	"bytes"
	"fmt"
	"html"
	"time"

	"stator/internal/cluster/insight"
)

// Sizes of the drawing, in its own units.
const (
	cellWidth, cellHeight = 10, 16
	svgLeft, svgTop       = 160, 44
	svgGap                = 40
)

// drawRing draws what printRing prints.
func drawRing(r *insight.Ring) []byte {
	var b bytes.Buffer
	first := r.Until.Add(-(insight.Minutes - 1) * time.Minute)
	y := svgTop
	for i := range r.Spaces {
		s := &r.Spaces[i]
		fmt.Fprintf(&b, "<text x=\"8\" y=\"%d\">%s</text>\n", y+12, html.EscapeString(nameOf(s)))
		for at := range insight.Minutes / 10 {
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text>\n", svgLeft+10*at*cellWidth, y+12, first.Add(time.Duration(10*at)*time.Minute).Format("15:04"))
		}
		y += cellHeight + 4
		for _, line := range ringLines(s.Partitions) {
			drawLine(&b, &line, y)
			y += cellHeight
		}
		y += svgGap
	}
	width := svgLeft + insight.Minutes*cellWidth + 8
	head := fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"8\" y=\"20\" font-size=\"14\">Heat of table %s until %s</text>\n",
		width, y, html.EscapeString(r.Table), r.Until.Format("2006-01-02 15:04 UTC"))
	return append(append([]byte(head), b.Bytes()...), "</svg>\n"...)
}

// drawLine draws a cell for each minute in which anything was served, with its share to be read where the pointer rests.
func drawLine(b *bytes.Buffer, line *ringLine, y int) {
	fmt.Fprintf(b, "<text x=\"8\" y=\"%d\">%s</text>\n", y+12, html.EscapeString(line.name))
	for minute, share := range line.shares {
		if share > 0 {
			fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s</title></rect>\n",
				svgLeft+minute*cellWidth, y, cellWidth-1, cellHeight-1, color(share), percent(share))
		}
	}
}

// color goes from a pale yellow to red, which is all of the bound.
func color(share float64) string {
	cool := 1 - min(1, share)
	return fmt.Sprintf("#%02x%02x%02x", 200+int(55*cool), 20+int(225*cool), 20+int(160*cool))
}
