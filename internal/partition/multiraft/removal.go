package multiraft

import (
	"fmt"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// Remove takes a replica off this node: what it holds goes, in one step, and a tombstone stays, so that no message, split
// or snapshot brings it back. It is called when the catalog, or the group itself, says that the replica is no member any
// more, and may be called again. The copy has been stopped, or its reads would find nothing. done is told by the worker.
func (h *Host) Remove(group, replica uint64, done func(error)) {
	w := h.worker(group)
	remove := func() {
		if g := h.group(group); g != nil && g.replica == replica {
			g.shut(errRemoved)
		}
		done(remove(h.options.Engine, group, replica))
	}
	if !w.request(remove) {
		done(errFull)
	}
}

// stands tells whether the store still holds what the group was opened with: it may have been removed since, and what the
// copy loaded is gone.
func (g *Group) stands() (bool, error) {
	own, found, err := machine.ReadRecord(g.host.options.Engine, hardKey(g.id), parseHard)
	if err != nil || !found {
		return false, err
	}
	begins, found, err := machine.ReadRecord(g.host.options.Engine, truncatedKey(g.id), parseMark)
	return found && own == g.log.hard && begins == g.log.truncated, err
}

// leave tells that this replica is a member neither of what the group is nor, half way of a change, of what it was.
func (g *Group) leave() {
	_, stays := g.state.Descriptor.Member(g.replica)
	was := func(m command.Member) bool { return m.Replica == g.replica }
	if !stays && !slices.ContainsFunc(g.at.outgoing, was) && g.host.options.Removed != nil {
		g.host.options.Removed(g.id, g.replica)
	}
}

// remove deletes all that a replica holds and leaves a tombstone. A younger replica that lives here is left alone.
//
// It is a batch of range deletions, not a Replacement with nothing in it: that would make and sync a file for each of ten
// spans, and a table that goes takes hundreds of replicas with it. What lies under a range deletion goes in whole files too.
func remove(e *engine.Engine, group, replica uint64) error {
	dead, err := tombstone(e, group)
	if err != nil {
		return err
	}
	if dead >= replica {
		return nil
	}
	own, found, err := machine.ReadRecord(e, hardKey(group), parseHard)
	if err != nil {
		return err
	}
	if found && own.replica > replica {
		return fmt.Errorf("replica %d of partition %d lives here, younger than %d", own.replica, group, replica)
	}
	spans := []machine.Range{machine.Whole(keys.SpaceRaft, group)}
	d, isNew, err := replaced(e, group)
	if err != nil {
		return err
	}
	if !isNew {
		spans = allSpans(d)
	}
	batch := e.NewBatch()
	defer batch.Close()
	for _, s := range spans {
		batch.DeleteRange(s.Lower, s.Upper)
	}
	batch.Set(tombstoneKey(group), mark{index: replica}.append(nil))
	if err := e.Commit(batch, true); err != nil {
		return fmt.Errorf("removing partition %d: %w", group, err)
	}
	return nil
}
