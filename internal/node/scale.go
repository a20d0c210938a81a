package node

import (
	"context"
	"maps"
	"slices"
	"time"

	"stator/internal/jobs/scale"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/machine"
)

// scale scales tables where the catalog is led.
func (n *Node) scale(ctx context.Context) error {
	if _, leads := n.host.Led(machine.CatalogPartition); !leads {
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

// counted tells what tables consumed.
type counted struct{ node *Node }

// Consumed implements scale.Meter.
func (c counted) Consumed(context.Context, time.Time, int) (map[uint64]scale.Consumption, error) {
	return nil, nil
}
