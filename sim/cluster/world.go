package cluster

import (
	"fmt"
	"io"
	"time"

	"stator/sim/hardware"
	"stator/sim/history"
	"stator/sim/ledger"
	"stator/sim/rows"
	"stator/sim/shapes"
	"stator/sim/timeline"
)

// world is everything there is: machines, what connects them, clients, and one time that all of it passes in.
type world struct {
	hardware.Site
	seed   uint64
	log    io.Writer // nil is none
	habits habits

	machines []*machine
	items    shapes.Draw

	history  history.History
	ledger   ledger.Ledger
	glimpses []glimpse
	sums     rows.Sums
	// work is when clients began. clients are those that have not ended.
	work     time.Duration
	creating bool
	clients  int

	result Result
}

// startMoment is the time of day when a world begins.
var startMoment = time.UnixMilli(timeline.StartMillis)

// at finds the machine at an address.
func (w *world) at(address string) *machine {
	for _, m := range w.machines {
		if m.address() == address {
			return m
		}
	}
	return nil
}

// serving is any machine whose node answers, nil if there is none.
func (w *world) serving() *machine {
	first := w.Random.IntN(len(w.machines))
	for i := range w.machines {
		if m := w.machines[(first+i)%len(w.machines)]; m.serves() {
			return m
		}
	}
	return nil
}

// leader is the machine that believes to lead a partition, in the newest epoch if there are several.
func (w *world) leader(partition uint64) *machine {
	var leads *machine
	newest := uint64(0)
	for _, m := range w.machines {
		if !m.serves() {
			continue
		}
		if s, ok := m.steps.Group(partition); ok && s.Serves && s.Term > newest {
			leads, newest = m, s.Term
		}
	}
	return leads
}

// anyLeader is a machine that leads some partition of some table, nil if there is none.
func (w *world) anyLeader() *machine {
	m := w.serving()
	if m == nil {
		return nil
	}
	partitions := partitionsOf(m.steps.Catalog())
	return w.leader(partitions[w.Random.IntN(len(partitions))])
}

// booted tells whether the nodes are a cluster: the catalog has a copy on three, and the tables of a run serve.
func (w *world) booted() bool {
	m := w.machines[0]
	if !m.serves() {
		return false
	}
	if r, ok := m.steps.Replica(1); !ok || len(r.State().Descriptor.Members) < 3 {
		return false
	}
	w.createTables()
	for _, s := range tables {
		if t, ok := m.steps.Catalog().Table(s.Name); !ok || !t.Serves() {
			return false
		}
	}
	return true
}

// unrest says what is not at rest; nothing if all that was begun is finished, and all copies of every partition are at one index.
func (w *world) unrest() string {
	for _, m := range w.machines {
		if !m.serves() {
			return fmt.Sprintf("machine %d does not serve", m.Number)
		}
		if !m.steps.Fed() {
			return fmt.Sprintf("machine %d has changes that indexes have not seen", m.Number)
		}
	}
	c := w.machines[0].steps.Catalog()
	for _, entry := range c.Entries() {
		if !entry.Table.Serves() || !entry.Table.Settled() || len(entry.Splits) > 0 {
			return fmt.Sprintf("table %s is %s, with %d splits", entry.Table.Name, entry.Table.State, len(entry.Splits))
		}
	}
	for _, id := range partitionsOf(c) {
		if why := w.unrestOf(id); why != "" {
			return fmt.Sprintf("partition %d: %s", id, why)
		}
	}
	return ""
}

func (w *world) unrestOf(id uint64) string {
	leads := w.leader(id)
	if leads == nil {
		return "it has no leader"
	}
	status, _ := leads.steps.Group(id)
	r, _ := leads.steps.Replica(id)
	state := r.State()
	switch d := state.Descriptor; {
	case len(d.Members) != w.copies(id) || status.Joint:
		return fmt.Sprintf("it has %d members", len(d.Members))
	case state.Applied.Locks > 0:
		return fmt.Sprintf("it has %d locks", state.Applied.Locks)
	case state.Expiry != nil:
		return "its index of expiry is not whole"
	case state.Unfed() > 0:
		return "it has changes that indexes have not seen"
	}
	for _, member := range state.Descriptor.Members {
		m := w.node(member.Node)
		if m == nil {
			return fmt.Sprintf("node %d is nowhere", member.Node)
		}
		if have, ok := m.steps.Group(id); !ok || have.Applied != status.Applied || have.Replica != member.Replica {
			return fmt.Sprintf("machine %d has it at %d of %d", m.Number, have.Applied, status.Applied)
		}
	}
	return ""
}

// copies is how many copies a partition ought to have: the catalog's has five where there are so many nodes.
func (w *world) copies(id uint64) int {
	if id == 1 && len(w.machines) >= 5 {
		return 5
	}
	return replicas
}

// node finds the machine that runs a node.
func (w *world) node(id uint64) *machine {
	for _, m := range w.machines {
		if m.id == id {
			return m
		}
	}
	return nil
}
