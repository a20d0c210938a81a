package node

import (
	"context"
	"maps"
	"slices"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/jobs/scale"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// scale scales tables where the catalog is led.
func (n *Node) scale(ctx context.Context) error {
	if !n.leadsCatalog() {
		return nil
	}
	return n.jobs.scale.Step(ctx)
}

// provisioner changes tables for the job that scales them, as a client would.
type provisioner struct{ node *Node }

// Provision implements scale.Tables.
func (p provisioner) Provision(ctx context.Context, t *table.Table, units map[string]table.Throughput) error {
	in := &api.UpdateTableInput{TableName: &t.Name}
	for _, index := range slices.Sorted(maps.Keys(units)) {
		wanted := units[index]
		sent := &api.ProvisionedThroughput{ReadCapacityUnits: &wanted.Read, WriteCapacityUnits: &wanted.Write}
		if index == "" {
			in.ProvisionedThroughput = sent
			continue
		}
		in.GlobalSecondaryIndexUpdates = append(in.GlobalSecondaryIndexUpdates, api.GlobalSecondaryIndexUpdate{
			Update: &api.UpdateGlobalSecondaryIndexAction{IndexName: &index, ProvisionedThroughput: sent},
		})
	}
	_, err := p.node.ops.UpdateTable(ctx, in)
	return err
}

// consumptionMinutesMax bounds what nodes are asked for at once: their answers are messages.
const consumptionMinutesMax = 12 * 60

// counted tells what tables and indexes consumed.
type counted struct {
	node *Node
	only map[uint64]bool // those that are asked about; nil: all
}

// Consumed implements scale.Meter.
func (c counted) Consumed(ctx context.Context, before time.Time, minutes int) (map[uint64]scale.Consumption, error) {
	if c.node.budget == nil {
		return nil, nil
	}
	to := before.Unix() / 60
	from := to - int64(minutes)
	consumed := map[uint64]scale.Consumption{}
	for begin := from; begin < to; begin += consumptionMinutesMax {
		counts, err := c.node.Consumption(ctx, begin, min(to, begin+consumptionMinutesMax))
		if err != nil {
			return nil, err
		}
		for minute, payers := range counts {
			c.enter(consumed, payers, int(minute-from), minutes)
		}
	}
	return consumed, nil
}

// enter puts one minute in its place in the series of all.
func (c counted) enter(consumed map[uint64]scale.Consumption, payers budget.Minute, at, minutes int) {
	for id, tally := range payers {
		if c.only != nil && !c.only[id] {
			continue
		}
		if _, known := consumed[id]; !known {
			consumed[id] = scale.Consumption{Read: make([]float64, minutes), Write: make([]float64, minutes)}
		}
		consumed[id].Read[at], consumed[id].Write[at] = tally.Consumed[capacity.Reads], tally.Consumed[capacity.Writes]
	}
}
