package replication

import "time"

// sumsEvery is about how often copies are held against each other while the world goes on.
const sumsEvery = 3 * time.Second

func (w *world) startSums() {
	w.Start("sums", func() {
		for !w.Calm {
			w.Sleep(w.Between(sumsEvery/2, 2*sumsEvery))
			w.Fail(w.compare())
		}
	})
}

// compare sums up every copy that is up.
func (w *world) compare() error {
	for _, n := range w.nodes {
		if n.Over() {
			continue
		}
		if err := w.sums.Compare(n.engine, n.partitions(), n.Number); err != nil {
			return err
		}
	}
	return nil
}
