package multiraft

import (
	"errors"
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
func (g *Group) stands() bool {
	own, found, err := readRecord(g.host.options.Engine, hardKey(g.id), parseHard)
	if err != nil || !found {
		return false
	}
	begins, found, err := readRecord(g.host.options.Engine, truncatedKey(g.id), parseMark)
	return err == nil && found && own == g.log.hard && begins == g.log.truncated
}

// leave tells that this replica is a member neither of what the group is nor, half way of a change, of what it was.
func (g *Group) leave() {
	_, stays := g.state.Descriptor.Member(g.replica)
	was := func(m command.Member) bool { return m.Replica == g.replica }
	if !stays && !slices.ContainsFunc(g.at.outgoing, was) && g.host.options.Removed != nil {
		g.host.options.Removed(g.id, g.replica)
	}
}

// remove replaces all that a replica holds by a tombstone. A younger replica that lives here is left alone.
func remove(e *engine.Engine, group, replica uint64) (err error) {
	dead, err := tombstone(e, group)
	if err != nil {
		return err
	}
	if dead >= replica {
		return nil
	}
	own, found, err := readRecord(e, hardKey(group), parseHard)
	if err != nil {
		return err
	}
	if found && own.replica > replica {
		return fmt.Errorf("replica %d of partition %d lives here, younger than %d", own.replica, group, replica)
	}
	r, err := e.NewReplacement(tableBytesMax)
	if err != nil {
		return fmt.Errorf("removing partition %d: %w", group, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := layBare(e, r, group); err != nil {
		return err
	}
	key := tombstoneKey(group)
	err = r.Span(key, append(key[:len(key):len(key)], 0))
	if err == nil {
		err = r.Set(key, mark{index: replica}.append(nil))
	}
	if err == nil {
		err = r.Perform()
	}
	if err != nil {
		return fmt.Errorf("removing partition %d: %w", group, err)
	}
	return nil
}

// layBare lays out the spans of the replica that is here, with nothing in them.
func layBare(e *engine.Engine, r *engine.Replacement, group uint64) error {
	spans := []machine.Range{prefixSpan(keys.SpaceRaft, group)}
	d, isNew, err := replaced(e, group)
	if err != nil {
		return err
	}
	if !isNew {
		held := replicatedSpans(d)
		if err := r.Excise(held[0].Lower, held[0].Upper); err != nil {
			return err
		}
		spans = append(spans, held[1:]...)
	}
	for _, s := range spans {
		if err := r.Span(s.Lower, s.Upper); err != nil {
			return err
		}
	}
	return nil
}
