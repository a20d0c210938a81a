package replication

import (
	"fmt"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/sim/history"
)

// glimpses are eventual reads, each of some copy. What they promise: an item as it once was, written by somebody and for
// good; and of one copy, until it starts anew, never an older state after a newer one.
type glimpses struct {
	seen  map[glimpsed][]attr.Map
	order []glimpsed
	// visits counts those.
	visits int
}

// glimpsed is an item as one copy has it, in one start of its node, or as one visit saw it.
type glimpsed struct {
	key       string
	node      uint64
	starts    int
	partition uint64
	visit     int
}

// glimpse reads one item eventually, of any copy.
func (c *client) glimpse(key []byte) {
	w := c.world
	p := w.layout.holding(key)
	to := p.nodes[w.Random.IntN(len(p.nodes))]
	get := &command.Get{Table: tableID, TableVersion: w.layout.table.Version, Key: key}
	read, err := ask(w, question{c.router.home, to, p.id}, func(p *partition, done func(attr.Map, error)) {
		p.replica.Read(get, func(result command.GetResult, err error) {
			n := w.node(to)
			if err == nil && !n.Over() {
				w.glimpses.add(glimpsed{key: string(key), node: to, starts: n.Starts, partition: p.id}, result.Item)
			}
			done(result.Item, err)
		})
	})
	if err != nil {
		w.failedRead(err)
		return
	}
	w.Note("client %d glimpses %d bytes on node %d", c.id, len(read), to)
}

// add notes what was read, in the order in which the copy read it.
func (g *glimpses) add(of glimpsed, item attr.Map) {
	if g.seen == nil {
		g.seen = map[glimpsed][]attr.Map{}
	}
	if g.seen[of] == nil {
		g.order = append(g.order, of)
	}
	g.seen[of] = append(g.seen[of], item)
}

// check finds each glimpse of a copy in the item's history, none before the one that came earlier. versions are all states of
// an item, oldest first, beginning with none.
func (g *glimpses) check(versions map[string][]attr.Map) error {
	for _, of := range g.order {
		states := versions[of.key]
		if states == nil {
			states = []attr.Map{nil}
		}
		at := 0
		for _, item := range g.seen[of] {
			i := slices.IndexFunc(states[at:], func(state attr.Map) bool { return string(state) == string(item) })
			if i < 0 {
				return fmt.Errorf("an eventual read of item %x on node %d, start %d, partition %d, or in visit %d, showed %s, which is no state of it after %s",
					of.key, of.node, of.starts, of.partition, of.visit, history.Shown(item), history.Shown(states[at]))
			}
			at += i
		}
	}
	return nil
}
