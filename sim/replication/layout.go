package replication

import (
	"bytes"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/sim/timeline"
)

// place is what clients know of a partition: it may have changed meanwhile.
type place struct {
	id     uint64
	bounds command.Bounds
	nodes  []uint64
}

// layout is the map of the one table's partitions, and who was born with which.
type layout struct {
	table  *table.Table
	places []place
	births []machine.Part
	last   uint64 // the newest partition id
	// adopted are the partitions that are known to have the table.
	adopted map[uint64]bool
	// entered is what partitions last said of their members; nothing of one that never told.
	entered map[uint64]machine.Descriptor
}

const (
	tableID        = 2
	firstPartition = 2
)

func (l *layout) begin(w *world) {
	l.table = newTable(w.habits.local)
	l.last, l.adopted, l.entered = firstPartition-1, map[uint64]bool{}, map[uint64]machine.Descriptor{}
	for _, p := range catalog.EvenPartitions(w.habits.partitions, firstPartition) {
		part := machine.Born(p.ID, tableID, p.Bounds)
		nodes := w.Random.Perm(w.habits.nodes)[:w.habits.replicas]
		slices.Sort(nodes)
		at := place{id: p.ID, bounds: p.Bounds}
		for i, n := range nodes {
			part.Descriptor.Members = append(part.Descriptor.Members, command.Member{Replica: uint64(i + 1), Node: uint64(n + 1)})
			at.nodes = append(at.nodes, uint64(n+1))
		}
		part.Descriptor.NextReplica = uint64(len(nodes) + 1)
		l.births, l.places, l.last = append(l.births, part), append(l.places, at), p.ID
	}
}

// born lists the partitions that a node is born with.
func (l *layout) born(node uint64) []machine.Part {
	var parts []machine.Part
	for _, p := range l.births {
		if slices.ContainsFunc(p.Descriptor.Members, func(m command.Member) bool { return m.Node == node }) {
			parts = append(parts, p)
		}
	}
	return parts
}

// holding finds the partition of a key.
func (l *layout) holding(key []byte) place {
	for _, p := range l.places {
		if p.bounds.Holds(key) {
			return p
		}
	}
	panic("replication: a key without a partition")
}

// split enters a right half.
func (l *layout) split(parent, child uint64, at []byte) {
	for i, p := range l.places {
		if p.id != parent || !p.bounds.Holds(at) || bytes.Equal(p.bounds.Lower, at) {
			continue
		}
		l.places[i].bounds.Upper = at
		l.places = slices.Insert(l.places, i+1, place{
			id: child, bounds: command.Bounds{Lower: at, Upper: p.bounds.Upper}, nodes: slices.Clone(p.nodes),
		})
		return
	}
}

// enter takes note of what a partition says of its members.
func (l *layout) enter(d machine.Descriptor) {
	if l.entered[d.Partition].Generation >= d.Generation {
		return
	}
	l.entered[d.Partition] = d
	for i := range l.places {
		if l.places[i].id != d.Partition {
			continue
		}
		l.places[i].nodes = nil
		for _, m := range d.Members {
			if !m.Learner {
				l.places[i].nodes = append(l.places[i].nodes, m.Node)
			}
		}
	}
}

// newTable is the table of every run: it has a stream, so that every change is recorded, and time to live.
func newTable(local bool) *table.Table {
	key := table.Key{
		Hash:  []table.KeyAttribute{{Name: attrHash, Type: attr.S}},
		Range: []table.KeyAttribute{{Name: attrRange, Type: attr.N}},
	}
	t := &table.Table{
		ID: tableID, Version: 1, Name: "simulated", UUID: "simulated", State: table.Active, Billing: table.OnDemandBilling, Key: key,
		TimeToLive: attrEnds, Streams: []table.Stream{{CreatedMillis: timeline.StartMillis, View: table.ViewBoth}},
	}
	t.Definitions = key.Attributes()
	if local {
		by := table.Key{Hash: key.Hash, Range: []table.KeyAttribute{{Name: attrLocal, Type: attr.S}}}
		t.Local = []table.Index{{ID: 1, Name: "whole", Key: by, Projection: table.Projection{Kind: table.All}, Status: table.IndexActive}}
		t.Definitions = append(t.Definitions, by.Range...)
	}
	return t
}
