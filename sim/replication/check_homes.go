package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/sim/rows"
)

// homes are the places from which replicas were removed: no message, split, snapshot or birth brings one back.
type homes struct {
	world *world
	// removed is the newest replica of a partition that a node told is gone from it.
	removed map[home]uint64
}

type home struct{ node, partition uint64 }

func (h *homes) begin(w *world) { h.world, h.removed = w, map[home]uint64{} }

// leaves notes that a node has removed a replica.
func (h *homes) leaves(n *node, id, replica uint64) {
	at := home{n.Number, id}
	h.removed[at] = max(h.removed[at], replica)
}

// lives notes that a node has opened a replica.
func (h *homes) lives(n *node, id, replica uint64) {
	if gone := h.removed[home{n.Number, id}]; replica <= gone {
		h.world.Fail(fmt.Errorf("replica %d of partition %d lives on node %d, from which replica %d was removed", replica, id, n.Number, gone))
	}
}

// check finds every row of every node under a partition that the node has, and no key under two.
func (h *homes) check() error {
	for _, n := range h.world.nodes {
		if err := n.checkRows(); err != nil {
			return fmt.Errorf("node %d: %w", n.Number, err)
		}
	}
	return nil
}

func (n *node) checkRows() (err error) {
	ids, err := replica.Stored(n.engine)
	if err != nil {
		return err
	}
	snapshot := n.engine.Snapshot()
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	var held []machine.Descriptor
	for _, id := range ids {
		d, err := machine.LoadDescriptor(snapshot, id)
		if err != nil {
			return err
		}
		held = append(held, d)
	}
	for i, space := range rows.BoundedSpaces {
		of := func(key []byte) (holders int) {
			for _, d := range held {
				if span := rows.Spans(d)[i]; span.Holds(key) {
					holders++
				}
			}
			return holders
		}
		if err := inSpace(snapshot, space, func(key []byte) bool { return of(key) == 1 }); err != nil {
			return err
		}
	}
	for _, space := range append(slices.Clone(rows.OwnSpaces), keys.SpaceRaft) {
		hosted := func(key []byte) bool { return slices.Contains(ids, binary.BigEndian.Uint64(key[1:])) }
		if err := inSpace(snapshot, space, hosted); err != nil {
			return err
		}
	}
	return nil
}

// inSpace holds every key of a space against what is allowed there.
func inSpace(s *engine.Snapshot, space keys.Space, allowed func(key []byte) bool) error {
	return each(s, command.Bounds{Lower: []byte{byte(space)}, Upper: []byte{byte(space) + 1}}, func(key, _ []byte) error {
		if !allowed(key) {
			return fmt.Errorf("%s is of no partition there, or of two", keys.Describe(key))
		}
		return nil
	})
}
