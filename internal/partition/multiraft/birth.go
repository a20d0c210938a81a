package multiraft

import (
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
)

// Birth makes the first replicas that new partitions have on this node, as their descriptors' members say. One that is
// there already stays as it is; one that was removed from this node is not born again; and while a snapshot of one is on its
// way none is born, as that will be it.
//
// Who asks may know the past only: where the partition was split since, the other half may be here, and a birth would take its
// rows away.
func (h *Host) Birth(parts []machine.Part) error {
	batch := h.options.Engine.NewBatch()
	defer batch.Close()
	var taken, born []*place
	defer func() {
		for _, p := range taken {
			h.arrivals.leave(p)
		}
	}()
	for i := range parts {
		d := &parts[i].Descriptor
		p := &place{partition: d.Partition, table: d.Table, bounds: d.Bounds, isBirth: true}
		isNew, err := false, h.arrivals.take(p)
		if err == nil {
			taken = append(taken, p)
			isNew, err = h.birth(batch, &parts[i])
		}
		if err != nil {
			return fmt.Errorf("giving birth to partition %d: %w", d.Partition, err)
		}
		if isNew {
			born = append(born, p)
		}
	}
	if err := alone(h.options.Engine, born...); err != nil {
		return err
	}
	if err := h.options.Engine.Commit(batch, true); err != nil {
		return fmt.Errorf("giving birth to %d partitions: %w", len(parts), err)
	}
	return nil
}

// birth writes one of them, which isNew if it is not there, nor was.
func (h *Host) birth(to *engine.Batch, part *machine.Part) (isNew bool, err error) {
	e, d := h.options.Engine, &part.Descriptor
	m, here := d.MemberOn(h.options.Node)
	if !here {
		return false, fmt.Errorf("node %d is not among its members", h.options.Node)
	}
	dead, err := tombstone(e, d.Partition)
	if err != nil {
		return false, err
	}
	there, err := Hosted(e, d.Partition)
	if err != nil || there || dead >= m.Replica {
		return false, err
	}
	for _, s := range allSpans(*d) {
		if err := empty(e, to, s); err != nil {
			return false, err
		}
	}
	state := machine.Batch{Writes: part.Writes()}
	state.Fill(to)
	birthRecords(to, d.Partition, hard{replica: m.Replica, term: birthTerm, commit: birthIndex})
	return true, nil
}

// empty removes what lies in a span, which mostly is nothing: then no trace is left of it.
func empty(e *engine.Engine, to *engine.Batch, s machine.Range) error {
	it, err := e.Iter(s.Lower, s.Upper)
	if err != nil {
		return err
	}
	if it.First() {
		to.DeleteRange(s.Lower, s.Upper)
	}
	return it.Close()
}

// birthRecords are the group's own records of a replica that is born.
func birthRecords(to *engine.Batch, group uint64, h hard) {
	at := mark{index: birthIndex, term: birthTerm}
	to.Set(positionKey(group), position{mark: at}.append(nil))
	to.Set(hardKey(group), h.append(nil))
	to.Set(truncatedKey(group), at.append(nil))
}

// Convert makes a partition that one copy keeps alone, and that nothing uses now, one of a group whose only voter is this
// node: from then on it is opened by a host. Its state and rows stay as they are, but that its generation rises. One that
// is converted stays as it is.
func Convert(e *engine.Engine, state machine.Part, node uint64) (machine.Part, error) {
	id := state.Descriptor.Partition
	if there, err := Hosted(e, id); err != nil || there {
		return state, err
	}
	state.Descriptor.Generation++
	state.Descriptor.Members = []command.Member{{Replica: 1, Node: node}}
	state.Descriptor.NextReplica = 2
	state.Applied.Epoch, state.Applied.Chain = machine.SoloEpoch, 0
	batch := e.NewBatch()
	defer batch.Close()
	converted := machine.Batch{Writes: state.Writes()}
	converted.Fill(batch)
	birthRecords(batch, id, hard{replica: 1, term: birthTerm, commit: birthIndex})
	if err := e.Commit(batch, true); err != nil {
		return state, fmt.Errorf("converting partition %d: %w", id, err)
	}
	return state, nil
}
