package node

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"stator/internal/storage/keys"
)

// WriteTo implements io.WriterTo: the report as text for a terminal, every column aligned.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var text bytes.Buffer
	r.head().write(&text)
	text.WriteByte('\n')
	r.holdings().write(&text)
	text.WriteByte('\n')
	r.verdict(&text)
	return text.WriteTo(w)
}

func (r *Report) head() grid {
	return grid{left: 2, rows: [][]string{
		{"directory", r.Dir},
		{"format", fmt.Sprintf("%d, written by %s", r.Format, r.Creator)},
		{"store", fmt.Sprintf("cluster %s, node %d", r.Ident.Cluster, r.Ident.Node)},
		{"on disk", fmt.Sprintf("%s in %d files and a log of %s", sizeText(r.DiskBytes-r.LogBytes), r.Files, sizeText(r.LogBytes))},
	}}
}

// holdings lists every table, under it its partitions in key order and its local indexes.
func (r *Report) holdings() grid {
	g := grid{left: 4, rows: [][]string{
		{"", "STATE", "GENERATION", "KEYS", "ITEMS", "SIZE", "DELETED", "EXPIRING", "CHANGES", "LOG", "DISK", "PERFORMED", "CHECKSUM"},
	}}
	for _, t := range r.Tables {
		var sum PartitionReport
		for _, p := range t.Partitions {
			sum.Items += p.Items
			sum.Bytes += p.Bytes
			sum.Tombstones += p.Tombstones
			sum.Expiring += p.Expiring
			sum.Changes += p.Changes
			sum.LogBytes += p.LogBytes
		}
		g.rows = append(g.rows, append([]string{t.Name, t.State, "", ""}, append(sum.cells(), sizeText(t.DiskBytes))...))
		for _, p := range t.Partitions {
			g.rows = append(g.rows, append([]string{
				fmt.Sprintf("  partition %d", p.ID), "", strconv.FormatUint(p.Generation, 10), bound(p.Lower) + ".." + bound(p.Upper),
			}, append(p.cells(), "", performedText(p.Performed), fmt.Sprintf("%016x", p.Checksum))...))
		}
		for _, l := range t.Local {
			g.rows = append(g.rows, []string{"  local index " + l.Name, "", "", "", strconv.FormatInt(l.Items, 10), sizeText(l.Bytes)})
		}
	}
	return g
}

func (p *PartitionReport) cells() []string {
	return []string{
		strconv.FormatInt(p.Items, 10), sizeText(p.Bytes), strconv.FormatInt(p.Tombstones, 10), strconv.FormatInt(p.Expiring, 10),
		strconv.FormatInt(p.Changes, 10), sizeText(p.LogBytes),
	}
}

// performedText is an index of a group's log. A node that is alone has no groups.
func performedText(index uint64) string {
	if index == 0 {
		return "-"
	}
	return strconv.FormatUint(index, 10)
}

// verdict says last what matters most.
func (r *Report) verdict(to io.Writer) {
	for _, remark := range r.Remarks {
		fmt.Fprintf(to, "remark: %s\n", remark)
	}
	for _, d := range r.Damages {
		fmt.Fprintf(to, "corrupt: %s\n", d)
	}
	switch n := len(r.Damages) + r.DamagesMore; {
	case r.DamagesMore > 0:
		fmt.Fprintf(to, "corrupt: %d places more\n", r.DamagesMore)
		fallthrough
	case n > 0:
		fmt.Fprintf(to, "verified %d files and %d records: corrupt in %d places\n", r.Files, r.Records, n)
	default:
		fmt.Fprintf(to, "verified %d files and %d records: every checksum is right\n", r.Files, r.Records)
	}
}

// bound is a partition's bound in short: the first bytes of its token, with a + where it lies within an item
// collection, - at the ends of the ring.
func bound(b []byte) string {
	switch short := hex.EncodeToString(b[:min(len(b), 4)]); {
	case len(b) == 0:
		return "-"
	case len(b) > keys.TokenBytes:
		return short + "+"
	default:
		return short
	}
}

// sizeText writes bytes in the largest unit that they fill.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	size, unit := float64(n), 0
	for ; size >= 1024 && unit < len(units)-1; unit++ {
		size /= 1024
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + units[unit]
}

// grid is text in columns: the first left ones begin at the same place, the others end there.
type grid struct {
	left int
	rows [][]string
}

func (g grid) write(to *bytes.Buffer) {
	var widths []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range g.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < g.left {
				line.WriteString(cell + space)
			} else {
				line.WriteString(space + cell)
			}
		}
		to.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}
