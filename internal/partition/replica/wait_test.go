package replica_test

import (
	"context"
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Who waits reads. Whoever ends the barrier of a strong read, as the worker of many partitions does, is through with it at
// once: what is written between that and the reader's waking is seen.
func TestWhoWaitsReads(t *testing.T) {
	reads := map[string]func(*world, replica.Wait) (bool, error){
		"item": func(w *world, wait replica.Wait) (bool, error) {
			got, err := w.replica.ReadAndWait(t.Context(), wait, &command.Get{Table: 100, TableVersion: 1, Key: key("a"), Strong: true})
			return got.Item != nil, err
		},
		"page": func(w *world, wait replica.Wait) (bool, error) {
			page, err := w.replica.ScanAndWait(t.Context(), wait, &command.Plan{Table: 100, TableVersion: 1, Bytes: 1 << 20, Strong: true})
			return len(page.Items) > 0, err
		},
		"items together": func(w *world, wait replica.Wait) (bool, error) {
			seen, err := w.replica.ReadTogetherAndWait(t.Context(), wait, &command.MultiGet{Table: 100, TableVersion: 1, Keys: [][]byte{key("a")}})
			return err == nil && seen[0].Item != nil, err
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.replica.Lead(machine.SoloEpoch, w.part)
			w.log.barred = true
			found, err := read(w, func(context.Context, <-chan struct{}) error {
				w.log.barriers[0](nil)
				w.log.barred = false
				w.ask(t, w.put(t, "a"))
				return nil
			})
			if err != nil || !found {
				t.Errorf("found %t, %v", found, err)
			}
		})
	}
}
