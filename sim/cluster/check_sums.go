package cluster

import "time"

// sumsEvery is about how often copies are held against each other while the world goes on.
const sumsEvery = 5 * time.Second

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
	for _, m := range w.machines {
		if !m.serves() {
			continue
		}
		if err := w.sums.Compare(m.steps.Engine(), m.steps.Partitions(), m.Number); err != nil {
			return err
		}
	}
	return nil
}
