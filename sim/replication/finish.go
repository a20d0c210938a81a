package replication

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// finish is the end of a run: the nodes come to rest, everything is read once more, and all that was seen is held together.
func (w *world) finish() error {
	var err error
	done := false
	w.Start("last reads", func() {
		c := w.newClient(0)
		err = c.settle()
		for _, item := range w.history.Items() {
			c.get([]byte(item.Key))
		}
		done = true
	})
	if !w.Run(func() bool { return done }, w.Now+restTime) || err != nil {
		return errors.Join(errors.New("a whole cluster does not answer"), err)
	}
	rests := w.Now
	if !w.Run(func() bool { return w.Now > rests+quietTime && w.atRest() == "" }, w.Now+restTime) {
		return fmt.Errorf("the cluster does not come to rest: %s", w.atRest())
	}
	if w.Failed() != nil {
		return nil
	}
	if err := errors.Join(w.compare(), w.homes.check()); err != nil {
		return err
	}
	versions, err := w.versions()
	if err != nil {
		return err
	}
	return errors.Join(w.checkAcknowledged(versions), w.glimpses.check(versions), w.history.Check())
}

// quietTime lets idle groups come to their quiet state, and what is late arrive.
const quietTime = 5 * time.Second

// atRest says what is not at rest; nothing if all copies of every partition are at one index.
func (w *world) atRest() string {
	for _, at := range w.layout.places {
		leads, ok := w.leader(at.id)
		if !ok {
			return fmt.Sprintf("partition %d has no leader", at.id)
		}
		index := leads.copies[at.id].group.Status().Applied
		for _, m := range leads.copies[at.id].replica.State().Descriptor.Members {
			n := w.node(m.Node)
			if n.Over() {
				return fmt.Sprintf("node %d is down", n.Number)
			}
			c, ok := n.copies[at.id]
			if !ok {
				return fmt.Sprintf("node %d has no copy of partition %d", n.Number, at.id)
			}
			if have := c.group.Status().Applied; have != index {
				return fmt.Sprintf("node %d has partition %d at %d of %d", n.Number, at.id, have, index)
			}
		}
	}
	return ""
}

// partitions lists the copies of a node in order.
func (n *node) partitions() []uint64 { return slices.Sorted(maps.Keys(n.copies)) }
