package node

import (
	"context"
	"fmt"
	"time"

	"stator/internal/jobs/scale"
	"stator/internal/model/cost"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// Workload is what was metered of a table since it was first used, as far back as the books go, with what it holds now and how it is
// scaled.
func (n *Node) Workload(ctx context.Context, name string) (cost.Workload, error) {
	entry, err := n.catalog.Find(ctx, name)
	if err != nil {
		return cost.Workload{}, err
	}
	t := entry.Table
	until := n.options.Clock.Now().Truncate(time.Minute)
	only := map[uint64]bool{t.ID: true}
	for i := range t.Global {
		only[t.Global[i].ID] = true
	}
	consumed, err := counted{n, only}.Consumed(ctx, until, meterMinutesMax)
	if err != nil {
		return cost.Workload{}, err
	}
	held, err := newLivePort(n).Stats(ctx, t)
	if err != nil {
		return cost.Workload{}, fmt.Errorf("counting what table %s holds: %w", name, err)
	}
	w := cost.Workload{Table: name, Resources: []cost.Resource{n.metered(t.Name, "", consumed[t.ID], held.Count)}}
	for i := range t.Local {
		count := held.Indexes[t.Local[i].Name]
		w.Resources = append(w.Resources, cost.Resource{Name: t.Local[i].Name, Local: true, Bytes: count.Bytes, Items: count.Items})
	}
	for i := range t.Global {
		index := t.Global[i].Name
		w.Resources = append(w.Resources, n.metered(t.Name, index, consumed[t.Global[i].ID], held.Indexes[index]))
	}
	w.Trim()
	w.From = until.Add(-time.Duration(w.Minutes()) * time.Minute)
	return w, nil
}

// metered is a table, or a global index of it, with what it consumed and holds.
func (n *Node) metered(name, index string, consumed scale.Consumption, held table.Count) cost.Resource {
	return cost.Resource{
		Name: index, Read: consumed.Read, Write: consumed.Write, Bytes: held.Bytes, Items: held.Items,
		ReadScaling: n.scaledAs(scaling.ID{Table: name, Index: index}), WriteScaling: n.scaledAs(scaling.ID{Table: name, Index: index, Write: true}),
	}
}

// scaledAs is how something is scaled, DynamoDB's default if it is not.
func (n *Node) scaledAs(id scaling.ID) cost.Scaling {
	t, ok := n.catalog.ScalingTarget(id)
	if !ok || t.Policy == nil {
		return cost.DefaultScaling
	}
	return cost.Scaling{Min: t.Min, Max: t.Max, Target: t.Policy.Target}
}
