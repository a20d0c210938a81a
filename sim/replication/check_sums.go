package replication

import (
	"errors"
	"time"
)

// sumsEvery is about how often copies are held against each other while the world goes on.
const sumsEvery = 3 * time.Second

func (w *world) startSums() {
	w.Start("sums", func() {
		for !w.calm {
			w.Sleep(w.Between(sumsEvery/2, 2*sumsEvery))
			w.Fail(w.compare())
		}
	})
}

// compare sums up every copy that is up.
func (w *world) compare() error {
	for _, n := range w.nodes {
		if n.over() {
			continue
		}
		for _, id := range n.partitions() {
			snapshot := n.engine.Snapshot()
			if err := errors.Join(w.sums.Compare(snapshot, id, n.id), snapshot.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
