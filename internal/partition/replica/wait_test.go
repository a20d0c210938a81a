package replica_test

import (
	"context"
	"errors"
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

// What comes late to a writer that gave up comes to nobody else.
func TestWhoGaveUpIsAnsweredAlone(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	gaveUp := errors.New("gave up")
	_, err := w.replica.WriteAndWait(t.Context(), func(context.Context, <-chan struct{}) error {
		w.step()
		return gaveUp
	}, w.put(t, "a/1"))
	if ambiguous, ok := errors.AsType[*command.Ambiguous](err); !ok || !errors.Is(ambiguous.Cause, gaveUp) {
		t.Errorf("a write that was given up: %v", err)
	}
	result, err := w.replica.WriteAndWait(t.Context(), func(_ context.Context, done <-chan struct{}) error {
		w.step()
		w.log.perform(w.log.find(1), nothing)
		select {
		case <-done:
			t.Error("the second write was answered for the first")
		default:
		}
		w.log.perform(w.log.find(2), nothing)
		<-done
		return nil
	}, w.put(t, "b/2"))
	if before := show(result.Before); err != nil || before != "none" {
		t.Errorf("the second write: %s, %v", before, err)
	}
}

// A copy that is out of service answers nobody who follows its log: to them it would be one that has no news.
func TestABrokenCopyIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	w.replica.Replaced(w.part)
	w.replica.Follow(2)
	follow := func() error {
		_, err := w.replica.ChangesAndWait(t.Context(), replica.WaitOnChannel, command.ChangesPlan{Bytes: 1})
		return err
	}
	if err := follow(); err != nil {
		t.Error(err)
	}
	w.replica.Stop()
	if _, ok := errors.AsType[*command.Rejected](follow()); !ok {
		t.Error("a copy that has stopped answers")
	}
}
