package cluster

import (
	"errors"
	"time"
)

// sumsEvery is about how often copies are held against each other while the world goes on.
const sumsEvery = 5 * time.Second

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
	for _, m := range w.machines {
		if !m.serves() {
			continue
		}
		for _, id := range m.steps.Partitions() {
			snapshot := m.steps.Engine().Snapshot()
			if err := errors.Join(w.sums.Compare(snapshot, id, m.place), snapshot.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
