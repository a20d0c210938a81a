package multiraft

import (
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
)

// Birth makes the first replicas that new partitions have on this node, as their descriptors' members say. One that is
// there already stays as it is; one that was removed from this node is not born again.
func Birth(e *engine.Engine, parts []machine.Part, node uint64, sync bool) error {
	batch := e.NewBatch()
	defer batch.Close()
	for i := range parts {
		if err := birth(e, batch, &parts[i], node); err != nil {
			return fmt.Errorf("giving birth to partition %d: %w", parts[i].Descriptor.Partition, err)
		}
	}
	if err := e.Commit(batch, sync); err != nil {
		return fmt.Errorf("giving birth to %d partitions: %w", len(parts), err)
	}
	return nil
}

func birth(e *engine.Engine, to *engine.Batch, part *machine.Part, node uint64) error {
	d := &part.Descriptor
	m, here := d.MemberOn(node)
	if !here {
		return fmt.Errorf("node %d is not among its members", node)
	}
	dead, err := tombstone(e, d.Partition)
	if err != nil {
		return err
	}
	there, err := Hosted(e, d.Partition)
	if err != nil || there || dead >= m.Replica {
		return err
	}
	for _, s := range allSpans(*d) {
		if err := empty(e, to, s); err != nil {
			return err
		}
	}
	born := machine.Batch{Writes: part.Writes()}
	born.Fill(to)
	birthRecords(to, d.Partition, hard{replica: m.Replica, term: birthTerm, commit: birthIndex})
	return nil
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
