package cluster

import (
	"context"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
)

// Changes of partitions and tables come this far apart.
const (
	splitEveryMax    = 12 * time.Second
	moveEveryMax     = 15 * time.Second
	transferEveryMax = 10 * time.Second
	indexEveryMax    = 25 * time.Second
	splitsMax        = 8
)

// startChanges splits, moves and transfers partitions, and has indexes come and go.
func (w *world) startChanges() {
	w.every("splits", splitEveryMax, (*client).split)
	w.every("moves", moveEveryMax, (*client).move)
	w.every("transfers", transferEveryMax, (*client).transferLead)
	w.every("indexes", indexEveryMax, (*client).moveIndex)
	if w.habits.late {
		w.After(w.Between(5*time.Second, 25*time.Second), w.machines[len(w.machines)-1].Start)
	}
}

// every does something now and then until the world is calm.
func (w *world) every(name string, most time.Duration, something func(*client) error) {
	w.clients++
	w.Start(name, func() {
		defer func() { w.clients-- }()
		c := &client{w, -1}
		for {
			for until := w.Now + w.Between(most/10, most); w.Now < until && !w.Calm; {
				w.Sleep(100 * time.Millisecond)
			}
			if w.Calm {
				return
			}
			if err := something(c); err != nil {
				w.Note("%s: %v", name, err)
			}
		}
	})
}

// split cuts some partition, of a table or of one of its indexes, at its middle or at some key.
func (c *client) split() error {
	if c.result.Splits >= splitsMax {
		return nil
	}
	s := tables[c.Random.IntN(len(tables))]
	if c.Chance(25) {
		s = accounts
	}
	child, err := ask(c, func(ctx context.Context, m *machine) (uint64, error) {
		entry, ok := m.steps.Catalog().Entry(s.Name)
		if !ok {
			return 0, errNotNow
		}
		id, at := entry.Table.ID, []byte(nil)
		if n := len(entry.Table.Global); n > 0 && c.Chance(30) {
			id = entry.Table.Global[c.Random.IntN(n)].ID
		} else if c.Chance(50) {
			at = s.Suffix(c.items.Key(s))
		}
		return m.steps.Split(ctx, s.Name, id, at)
	})
	c.Note("a partition of table %s is split, and there is %d: %v", s.Name, child, err)
	if err == nil {
		c.result.Splits++
	}
	return err
}

// operator has the cluster do what an operator asks for of some partition.
func (c *client) operator(order func(p *catalog.Partition, nodes []*catalog.Node) rebalance.Question) (rebalance.Answer, error) {
	answer, err := ask(c, func(ctx context.Context, m *machine) (rebalance.Answer, error) {
		var all []catalog.Partition
		for _, id := range partitionsOf(m.steps.Catalog()) {
			if p, ok := partition(m.steps.Catalog(), id); ok {
				all = append(all, p)
			}
		}
		if len(all) == 0 {
			return rebalance.Answer{}, errNotNow
		}
		return m.steps.Ask(ctx, order(&all[c.Random.IntN(len(all))], m.steps.Catalog().Nodes()))
	})
	c.Note("an operator is told %q, %q: %v", answer.Text, answer.Refused, err)
	return answer, err
}

func partition(c *catalog.Catalog, id uint64) (catalog.Partition, bool) {
	for _, entry := range c.Entries() {
		for _, partitions := range entry.Partitions {
			for _, p := range partitions {
				if p.ID == id {
					return p, true
				}
			}
		}
	}
	return catalog.Partition{}, false
}

// move brings a replica to another node.
func (c *client) move() error {
	if c.habits.nodes <= replicas {
		return nil
	}
	answer, err := c.operator(func(p *catalog.Partition, nodes []*catalog.Node) rebalance.Question {
		from, to := p.Members[c.Random.IntN(len(p.Members))].Node, nodes[c.Random.IntN(len(nodes))].ID
		return rebalance.Question{Verb: rebalance.VerbMove, Partition: p.ID, From: from, To: to}
	})
	if err == nil && answer.Refused == "" {
		c.result.Moves++
	}
	return err
}

// transferLead has another copy lead a partition.
func (c *client) transferLead() error {
	answer, err := c.operator(func(p *catalog.Partition, _ []*catalog.Node) rebalance.Question {
		return rebalance.Question{Verb: rebalance.VerbTransfer, Partition: p.ID, To: p.Members[c.Random.IntN(len(p.Members))].Node}
	})
	if err == nil && answer.Refused == "" {
		c.result.Transfers++
	}
	return err
}
