package node

import (
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/ops"
	"stator/internal/partition/machine"
)

// Capacity says what becomes of requests beyond the throughput of their tables and partitions.
type Capacity string

// The ways.
const (
	// CapacityOff lets everything through and counts nothing.
	CapacityOff Capacity = "off"
	// CapacityReport lets everything through, and counts what would have been refused for want of a table's throughput.
	CapacityReport Capacity = "report"
	// CapacityEnforce throttles as DynamoDB does.
	CapacityEnforce Capacity = "enforce"
)

// newBudget is what this node's requests may consume; nil where nobody counts.
func (n *Node) newBudget() *budget.Budget {
	if n.options.Capacity == CapacityOff {
		return nil
	}
	o := budget.Options{Now: n.steady, Report: n.options.Capacity == CapacityReport, Observer: n.insights}
	if c := n.cluster; c != nil {
		o.Nodes, o.Low = c.members, c.spending.raise
	} else {
		o.Saved = n.saved
	}
	return budget.New(o)
}

// admission is the budget as operations know it.
func (n *Node) admission() ops.Admission {
	if n.budget == nil {
		return nil
	}
	return n.budget
}

// counted is the clock by which it is counted what a partition here serves; nil where nobody counts. The catalog's always serves what it
// can.
func (n *Node) counted(partition uint64) func() time.Duration {
	if n.options.Capacity == CapacityOff || partition == machine.CatalogPartition {
		return nil
	}
	return n.steady
}

// steady is a clock that never jumps.
func (n *Node) steady() time.Duration {
	if n.options.Steady != nil {
		return n.options.Steady()
	}
	return time.Since(n.began)
}
