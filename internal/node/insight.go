package node

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/insight"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
)

// insights are what this node remembers of the last hour: of the requests that came to it, and of the partitions that are here. They end
// with the process.
type insights struct {
	node     *Node
	refusals insight.Refusals
	heat     insight.Heat
	keys     *insight.Keys
}

func newInsights(n *Node) *insights {
	return &insights{node: n, keys: insight.NewKeys(n.steady, func() {
		n.options.Log.Warn("contributor insights are turned on for more tables and indexes than a node counts the keys of: some are left out",
			"counted", insight.CountedMax)
	})}
}

// Consumed implements budget.Observer.
func (i *insights) Consumed(r capacity.Request) { i.keys.Consumed(&r) }

// Refused implements budget.Observer.
func (i *insights) Refused(r capacity.Request, by capacity.Bound) {
	i.keys.Refused(&r)
	i.refusals.Note(&r, by, i.node.partitionOf(r.ID(), r.Key), i.node.minute())
}

// served takes in what the partitions here served since the last time.
func (i *insights) served(minute int64) {
	for id, r := range i.node.host.all() {
		turned := r.Turn()
		if turned == (capacity.Tally{}) {
			continue
		}
		i.heat.Add(id, minute, turned.Consumed)
		for kind := range capacity.Kinds {
			if n := turned.Throttled(kind); n > 0 {
				payer := r.State().Descriptor.Table
				i.refusals.NoteCounted(&insight.Refused{
					Minute: minute, Payer: payer, Partition: id, Kind: kind, Bound: capacity.PartitionBounds[kind],
					Requests: n, Units: float64(n),
				})
				if p, there := i.node.payer(payer); there {
					i.node.budget.Beyond(p, kind, n)
				}
			}
		}
	}
}

// forget lets go of what is an hour old, or wanted no more.
func (i *insights) forget(minute int64) {
	i.heat.Forget(minute - insight.Minutes)
	i.keys.Keep(func(id uint64) bool {
		p, there := i.node.payer(id)
		return there && p.Insights().On
	})
}

// minute is the one under way, since the epoch.
func (n *Node) minute() int64 { return n.nowMillis() / time.Minute.Milliseconds() }

// partitionOf is the partition that holds a key; 0 without one.
func (n *Node) partitionOf(tableID uint64, key []byte) uint64 {
	p := catalog.Holding(n.catalog.Partitions(tableID), key)
	if key == nil || p == nil {
		return 0
	}
	return p.ID
}

// recall is a question of another node for what it remembers.
type recall struct {
	Payers     []uint64
	Partitions []uint64
	Since      int64 // the first minute that is asked about
}

// memory is its answer.
type memory struct {
	Refused insight.Refusal
	Served  []insight.Served
	Keys    map[uint64]insight.Contributors
	// Uncounted tells of payers how many nodes have no room for their keys.
	Uncounted map[uint64]int
}

func (i *insights) recall(q *recall) memory {
	m := memory{
		Refused: i.refusals.Of(q.Payers, q.Since), Served: i.heat.Of(q.Partitions), Keys: map[uint64]insight.Contributors{}, Uncounted: map[uint64]int{},
	}
	for _, id := range q.Payers {
		m.Keys[id] = i.keys.Of(id)
		if !i.keys.HasRoom(id) {
			m.Uncounted[id] = 1
		}
	}
	return m
}

// recalled answers another node.
func (c *cluster) recalled(body []byte) ([]byte, error) {
	var q recall
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, &command.Rejected{Cause: err}
	}
	return json.Marshal(c.node.insights.recall(&q))
}

// known is what the living nodes remember of a table by its name, and which did not answer.
func (n *Node) known(ctx context.Context, name string) (e *catalog.Entry, all memory, silent []silence, err error) {
	if e, err = n.catalog.Find(ctx, name); err != nil {
		return nil, memory{}, nil, err
	}
	q := recall{Since: n.minute() - insight.Minutes}
	for _, id := range e.TableIDs() {
		q.Payers = append(q.Payers, id)
		for i := range e.Partitions[id] {
			q.Partitions = append(q.Partitions, e.Partitions[id][i].ID)
		}
	}
	all = n.insights.recall(&q)
	silent = askAll(ctx, n.cluster, question{methodRecall, &q}, func(_ uint64, other memory) error {
		all.Refused.Add(other.Refused)
		all.Served = insight.Hotter(all.Served, other.Served)
		for id, keys := range other.Keys {
			all.Keys[id].Add(keys)
		}
		for id, nodes := range other.Uncounted {
			all.Uncounted[id] += nodes
		}
		return nil
	})
	return e, all, silent, nil
}

// Heat is how hot the partitions of a table were in the last hour.
func (n *Node) Heat(ctx context.Context, name string) (insight.Ring, error) {
	entry, known, silent, err := n.known(ctx, name)
	if err != nil {
		return insight.Ring{}, err
	}
	ring := insight.RingOf(entry, string(n.options.Capacity), n.options.Clock.Now().UTC(), known.Served)
	ring.Missing = missing(silent)
	return ring, nil
}

// Contributors are the keys of a table that are asked for and throttled most.
func (n *Node) Contributors(ctx context.Context, name string) (insight.Report, error) {
	entry, known, silent, err := n.known(ctx, name)
	if err != nil {
		return insight.Report{}, err
	}
	report := insight.Tell(entry.Table, string(n.options.Capacity), known.Keys, known.Uncounted)
	report.Missing = missing(silent)
	return report, nil
}

// Throttles explains why requests to a table were throttled in the last hour, or would have been.
func (n *Node) Throttles(ctx context.Context, name string) (insight.Explanation, error) {
	entry, known, silent, err := n.known(ctx, name)
	if err != nil {
		return insight.Explanation{}, err
	}
	minute := n.minute()
	consumed, later, err := n.consumption(ctx, minute-insight.Minutes, minute+1)
	if err != nil {
		return insight.Explanation{}, err
	}
	for _, s := range later {
		if !slices.ContainsFunc(silent, func(known silence) bool { return known.node == s.node }) {
			silent = append(silent, s)
		}
	}
	e := insight.Explain(&insight.Facts{
		Entry: entry, Capacity: string(n.options.Capacity), Now: n.options.Clock.Now().UTC(), Refused: known.Refused, Consumed: consumed,
		Served: known.Served,
	})
	e.Missing = missing(silent)
	return e, nil
}
