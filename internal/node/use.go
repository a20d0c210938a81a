package node

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"stator/internal/base/metric"
	"stator/internal/model/advice"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/ops"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// share is what one node knows of the use of a table: the requests that came to it, and what the copies here serve.
type share struct {
	SinceMillis int64                       `json:"sinceMillis"`
	Operations  map[string]advice.Operation `json:"operations"`
	Partitions  map[uint64]advice.Partition `json:"partitions"`
	Written     []advice.Sized              `json:"written"`
	Read        []advice.Sized              `json:"read"`
}

// Use is how a table was used, as all living nodes counted it.
func (n *Node) Use(ctx context.Context, name string) (advice.Use, error) {
	w, err := n.Workload(ctx, name)
	if err != nil {
		return advice.Use{}, err
	}
	entry, err := n.catalog.Find(ctx, name)
	if err != nil {
		return advice.Use{}, err
	}
	t := entry.Table
	sum := n.share(t)
	silent := askAll(ctx, n.cluster, question{methodShare, t.ID}, func(_ uint64, theirs share) error {
		sum.add(&theirs)
		return nil
	})
	if err := unanswered(silent); err != nil {
		return advice.Use{}, fmt.Errorf("how table %s is used: %w", name, err)
	}
	u := advice.Use{
		Workload: w, OnDemand: t.Billing != table.Provisioned, Operations: sum.Operations, Written: sum.Written, Read: sum.Read,
		Since: time.UnixMilli(sum.SinceMillis).UTC(), Until: n.options.Clock.Now().UTC(),
	}
	refused, err := n.refusedLately(ctx)
	if err != nil {
		return advice.Use{}, err
	}
	resource := func(id uint64, set table.Throughput) advice.Resource {
		r := advice.Resource{Provisioned: set, Refused: refused[id]}
		for _, p := range n.catalog.Partitions(id) {
			r.Partitions = append(r.Partitions, sum.Partitions[p.ID])
		}
		return r
	}
	u.Resources = append(u.Resources, resource(t.ID, t.Throughput))
	for range t.Local {
		u.Resources = append(u.Resources, advice.Resource{})
	}
	for i := range t.Global {
		u.Resources = append(u.Resources, resource(t.Global[i].ID, t.Global[i].Throughput))
	}
	return u, nil
}

// share is this node's.
func (n *Node) share(t *table.Table) share {
	s := share{SinceMillis: n.countedSince, Operations: map[string]advice.Operation{}, Partitions: map[uint64]advice.Partition{}}
	if n.requests.Counted(t.ID) != metric.Others {
		counts := n.requests.Table(t.ID)
		for number, served := range counts.Asked() {
			s.Operations[ops.Counted[number]] = advice.Operation{
				Requests: int64(served.Latency.Snapshot().Count), Examined: served.Examined.Load(), Returned: served.Returned.Load(),
			}
		}
		s.Written, s.Read = sizesOf(&counts.Written), sizesOf(&counts.Read)
		walked := &counts.StatementScans
		s.Operations["Scan"] = s.Operations["Scan"].Plus(advice.Operation{
			Requests: walked.Requests.Load(), Examined: walked.Examined.Load(), Returned: walked.Returned.Load(),
		})
	}
	ids := []uint64{t.ID}
	for i := range t.Global {
		ids = append(ids, t.Global[i].ID)
	}
	for _, id := range ids {
		for _, p := range n.catalog.Partitions(id) {
			s.Partitions[p.ID] = n.served(p.ID)
		}
	}
	return s
}

// served is what a partition's copy here serves now.
func (n *Node) served(partition uint64) advice.Partition {
	p := advice.Partition{ID: partition}
	r, ok := n.host.Replica(partition)
	if !ok {
		return p
	}
	p.PerSecond = r.PerSecond()
	for kind := range capacity.Kinds {
		if hottest := r.Hottest(kind, 1); len(hottest) > 0 && p.PerSecond[kind] > 0 {
			p.Hottest[kind] = advice.KeyShare{Key: keys.Show(hottest[0].Bytes), Share: min(1, hottest[0].PerSecond/p.PerSecond[kind])}
		}
	}
	return p
}

func sizesOf(counted *metric.Sizes) (sizes []advice.Sized) {
	for i := range counted {
		sizes = append(sizes, advice.Sized{Items: counted[i].Items.Load(), Bytes: counted[i].Bytes.Load()})
	}
	return sizes
}

// sizesOfBoth adds another node's, which may have counted none.
func sizesOfBoth(a, b []advice.Sized) []advice.Sized {
	if len(a) < len(b) {
		a, b = b, a
	}
	for i := range b {
		a[i].Items += b[i].Items
		a[i].Bytes += b[i].Bytes
	}
	return a
}

// add adds what another node knows.
func (s *share) add(theirs *share) {
	s.SinceMillis = min(s.SinceMillis, theirs.SinceMillis)
	s.Written, s.Read = sizesOfBoth(s.Written, theirs.Written), sizesOfBoth(s.Read, theirs.Read)
	for name, o := range theirs.Operations {
		s.Operations[name] = s.Operations[name].Plus(o)
	}
	for id, p := range theirs.Partitions {
		s.Partitions[id] = s.Partitions[id].Busier(p)
	}
}

// shared answers another node.
func (c *cluster) shared(body []byte) ([]byte, error) {
	var id uint64
	if err := json.Unmarshal(body, &id); err != nil {
		return nil, &command.Rejected{Cause: err}
	}
	p, ok := c.node.payer(id)
	if !ok {
		return json.Marshal(share{SinceMillis: c.node.countedSince})
	}
	return json.Marshal(c.node.share(p.Table))
}

// refusedLately is how many requests of each payer were beyond what a partition serves, in the last day.
func (n *Node) refusedLately(ctx context.Context) (map[uint64][capacity.Kinds]uint64, error) {
	until := n.nowMillis()/time.Minute.Milliseconds() + 1
	refused := map[uint64][capacity.Kinds]uint64{}
	for from := until - advice.RefusedMinutes; from < until; from += consumptionMinutesMax {
		minutes, err := n.Consumption(ctx, from, min(until, from+consumptionMinutesMax))
		if err != nil {
			return nil, err
		}
		for _, payers := range minutes {
			for id, tally := range payers {
				sum := refused[id]
				for kind := range capacity.Kinds {
					sum[kind] += tally.Refused[kind][capacity.KeyRangeThroughput]
				}
				refused[id] = sum
			}
		}
	}
	return refused, nil
}
