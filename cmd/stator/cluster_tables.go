package main

import (
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"stator/internal/jobs/rebalance"
)

type clusterStatusCommand struct {
	clusterServer `embed:""`
}

// Help shows an example.
func (clusterStatusCommand) Help() string {
	return `Any node of the cluster can be asked. A partition is whole if it has all the replicas it should have, up to date.

Example:

    stator cluster status
    stator cluster status --admin 10.0.0.2:8001 --admin-token /etc/stator/token --json`
}

// Run shows it.
func (c *clusterStatusCommand) Run(s streams) error {
	answer, err := c.look(s, rebalance.VerbStatus, nil)
	if err != nil || answer == nil {
		return err
	}
	if answer.Overview == nil {
		return fmt.Errorf("the server's answer has no overview")
	}
	showStatus(s.Out, answer.Overview)
	return nil
}

func showStatus(to io.Writer, o *rebalance.Overview) {
	fmt.Fprintf(to, "cluster %s, %s of everything, as node %d has it, which leads the catalog\n\n", o.Cluster, plural(o.Replicas, "replica"), o.Leader)
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "nodes\t%d: %s\n", len(o.Nodes), nodeStates(o.Nodes))
	fmt.Fprintf(table, "format\t%s\n", formats(o))
	t := o.Tally
	fmt.Fprintf(table, "partitions\t%d: %d whole, %d lacking replicas, %d without a leader\n", t.Total, t.Whole, t.Lacking, t.Stopped)
	fmt.Fprintf(table, "moving\t%s\n", orNone(moving(o)))
	fmt.Fprintf(table, "splitting\t%s\n", orNone(splitting(o)))
	if o.DamagedCount > 0 {
		fmt.Fprintf(table, "damaged\t%s\n", orNone(damaged(o)))
	}
	blocked := andMore(o.Blocked, o.BlockedCount)
	fmt.Fprintf(table, "blocked\t%s\n", orNone(blocked))
	var recent []string
	for _, r := range o.Recent {
		recent = append(recent, fmt.Sprintf("%s ago: %s", ago(r.AgoMillis), r.Text))
	}
	fmt.Fprintf(table, "last steps\t%s\n", orNone(recent))
	_ = table.Flush() // the writer is the terminal: who cannot be told cannot be told that
}

// formats tells what the cluster writes, and whether it could write a newer format.
func formats(o *rebalance.Overview) string {
	reads := math.MaxInt
	for i := range o.Nodes {
		if n := &o.Nodes[i]; n.State != "gone" {
			reads = min(reads, n.Format)
		}
	}
	if reads <= o.Format || reads == math.MaxInt {
		return strconv.Itoa(o.Format)
	}
	return fmt.Sprintf("%d; all nodes read %d: 'stator cluster upgrade' raises it", o.Format, reads)
}

func nodeStates(nodes []rebalance.Node) string {
	counts := map[string]int{}
	for i := range nodes {
		counts[stateOf(&nodes[i])]++
	}
	var parts []string
	for _, state := range []string{"up", "joining", "leaving", "silent", "gone"} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

// silentMillisMin is the silence that is worth a word.
const silentMillisMin = 5000

// stateOf is the catalog's state of a node, unless nobody hears it.
func stateOf(n *rebalance.Node) string {
	if n.State != "gone" && n.SilentMillis >= silentMillisMin {
		return "silent"
	}
	return n.State
}

func moving(o *rebalance.Overview) []string {
	var lines []string
	for _, m := range o.Moves {
		how := "catching up"
		if m.Ready {
			how = "has caught up"
		}
		lines = append(lines, fmt.Sprintf("partition %d to node %d: %s", m.Partition, m.Node, how))
	}
	lines = andMore(lines, o.MovesCount)
	for _, m := range o.Wanted {
		lines = append(lines, fmt.Sprintf("partition %d from node %d to node %d: has yet to begin", m.Partition, m.From, m.To))
	}
	return lines
}

// damaged lists what waits to be made anew: as long as for a silent node, so that somebody can look at it.
func damaged(o *rebalance.Overview) []string {
	var lines []string
	for _, d := range o.Damaged {
		lines = append(lines, fmt.Sprintf("partition %d on node %d: out of service for %s, made anew after %s", d.Partition, d.Node,
			ago(d.ForMillis), ago(o.ReplaceAfterSeconds*1000)))
	}
	return andMore(lines, o.DamagedCount)
}

func splitting(o *rebalance.Overview) []string {
	var lines []string
	for _, s := range o.Splits {
		lines = append(lines, fmt.Sprintf("partition %d: %s of %s read in search of its middle", s.Partition, byteSize(s.ReadBytes), byteSize(s.Bytes)))
	}
	return lines
}

// andMore adds how many more there are than the lines that an overview lists.
func andMore(lines []string, of int) []string {
	if more := of - len(lines); more > 0 {
		return append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// orNone puts lines below each other in the second column.
func orNone(lines []string) string {
	if len(lines) == 0 {
		return "none"
	}
	return strings.Join(lines, "\n\t")
}

type clusterNodesCommand struct {
	clusterServer `embed:""`
}

// Help shows an example.
func (clusterNodesCommand) Help() string {
	return `Example:

    stator cluster nodes`
}

// Run lists them.
func (c *clusterNodesCommand) Run(s streams) error {
	answer, err := c.look(s, rebalance.VerbStatus, nil)
	if err != nil || answer == nil {
		return err
	}
	if answer.Overview == nil {
		return fmt.Errorf("the server's answer has no nodes")
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tSTATE\tZONE\tREPLICAS\tLEADS\tDATA\tDISK FREE\tRPC\tCLIENTS\tRELEASE")
	for i := range answer.Overview.Nodes {
		n := &answer.Overview.Nodes[i]
		state := stateOf(n)
		if state == "silent" {
			state = fmt.Sprintf("%s, silent %s", n.State, ago(n.SilentMillis))
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", n.ID, state, dash(n.Zone), n.Replicas, n.Leads,
			byteSize(n.Bytes), diskFree(n), dash(n.RPC), dash(n.HTTP), dash(n.Release))
	}
	return table.Flush()
}

func diskFree(n *rebalance.Node) string {
	switch {
	case n.FreeBytes <= 0:
		return "-"
	case n.DiskBytes == 0:
		return byteSize(n.FreeBytes).String()
	}
	return fmt.Sprintf("%s of %s", byteSize(n.FreeBytes), byteSize(n.DiskBytes))
}

type clusterPartitionsCommand struct {
	Table string `arg:"" optional:"" help:"Which table; all, if none is named."`

	clusterServer `embed:""`
}

// Help shows an example.
func (clusterPartitionsCommand) Help() string {
	return `A replica with a star leads; one with a plus is on its way in and does not vote yet; one with a question mark lags.

Example:

    stator cluster partitions
    stator cluster partitions cities`
}

// Run lists them.
func (c *clusterPartitionsCommand) Run(s streams) error {
	query := url.Values{}
	if c.Table != "" {
		query.Set("table", c.Table)
	}
	answer, err := c.look(s, rebalance.VerbPartitions, query)
	if err != nil || answer == nil {
		return err
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PARTITION\tTABLE\tNODES\tITEMS\tDATA")
	for i := range answer.Partitions {
		p := &answer.Partitions[i]
		name := p.Table
		if p.Index != 0 {
			name = fmt.Sprintf("%s, index %d", p.Table, p.Index)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%s\n", p.ID, name, replicasOf(p), p.Items, byteSize(p.Bytes))
	}
	return table.Flush()
}

func replicasOf(p *rebalance.Partition) string {
	var nodes []string
	for _, r := range p.Replicas {
		mark := ""
		switch {
		case r.Node == p.Leader:
			mark = "*"
		case r.Learner:
			mark = "+"
		case !r.Current && p.Leader != 0:
			mark = "?"
		}
		nodes = append(nodes, numberOf(r.Node)+mark)
	}
	text := strings.Join(nodes, " ")
	if p.Leader == 0 {
		text += " (no leader is known)"
	}
	return text
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ago is a time in the coarsest unit that still says something.
func ago(millis int64) string {
	d := time.Duration(millis) * time.Millisecond
	switch {
	case d > 100*24*time.Hour:
		return "ever"
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
