package replica_test

import (
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// done performs whatever the replica proposes until it rests.
func (w *world) done() {
	for w.awake {
		w.step()
		for _, h := range w.log.held {
			if !h.ended {
				w.log.perform(h, nothing)
			}
		}
	}
}

// ask performs a command alone.
func (w *world) ask(t *testing.T, c *command.Command) (result command.Result) {
	t.Helper()
	answered := false
	w.replica.Write(c, func(r command.Result, err error) {
		if err != nil {
			t.Error(err)
		}
		result, answered = r, true
	})
	w.done()
	if !answered {
		t.Fatal("no answer")
	}
	return result
}

// part is a transaction's part in the partition.
func (w *world) transaction(t *testing.T, action command.Action, items ...string) *command.Command {
	part := &command.Transaction{ID: command.TransactionID{1}, SentMillis: w.millis, Version: command.VersionAt(w.millis) + 1000}
	part.Record = command.Place{Table: 999, Suffix: []byte("elsewhere")}
	for _, item := range items {
		part.Keys = append(part.Keys, key(item))
		if action == command.Prepare {
			part.Actions = append(part.Actions, w.put(t, item))
		}
	}
	return &command.Command{Action: action, Table: 100, Transaction: part}
}

// plant puts a lock into the store that no batch brought: whoever meets it has looked there.
func (w *world) plant(t *testing.T, item string) {
	lock := record.Lock{ID: command.TransactionID{9}, Table: 999, Suffix: []byte("planted"), Kind: byte(command.Put), Millis: w.millis}
	b := w.engine.NewBatch()
	defer b.Close()
	b.Set(keys.Lock(100, key(item)), lock.Append(nil))
	if err := w.engine.Commit(b, false); err != nil {
		t.Fatal(err)
	}
}

// locked puts an item and tells which transaction was in its way.
func (w *world) locked(t *testing.T, item string) byte {
	t.Helper()
	if r := w.ask(t, w.put(t, item)); r.Refusal == command.Locked {
		return r.Held.ID[0]
	}
	return 0
}

func (w *world) expect(t *testing.T, want map[string]byte) {
	t.Helper()
	for item, holder := range want {
		if got := w.locked(t, item); got != holder {
			t.Errorf("%s is locked by %d, want %d", item, got, holder)
		}
	}
}

// While a copy knows its locks it finds those, and looks nowhere else.
func TestLocksAreKnown(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	if r := w.ask(t, w.transaction(t, command.Prepare, "a/1", "b/1")); r.Refusal != command.Accepted {
		t.Fatalf("%+v", r)
	}
	w.plant(t, "c/1")
	w.expect(t, map[string]byte{"a/1": 1, "b/1": 1, "c/1": 0})
	w.ask(t, w.transaction(t, command.Apply, "a/1"))
	w.expect(t, map[string]byte{"a/1": 0, "b/1": 1, "c/1": 0})
	w.ask(t, w.transaction(t, command.Release, "b/1"))
	w.expect(t, map[string]byte{"b/1": 0, "c/1": 0})
}

// A copy that begins amid locks looks for them in the store until there are none; so does one whose state was replaced.
func TestLocksAreLearned(t *testing.T) {
	for name, begin := range map[string]func(w *world){
		"begun": func(w *world) {
			before := w.replica.State()
			newCopy(w).Lead(machine.SoloEpoch, before)
		},
		"replaced": func(w *world) { w.replica.Replaced(w.replica.State()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.replica.Lead(machine.SoloEpoch, w.part)
			w.ask(t, w.transaction(t, command.Prepare, "a/1"))
			begin(w)
			w.plant(t, "c/1")
			w.expect(t, map[string]byte{"a/1": 1, "b/1": 0, "c/1": 9})
			w.ask(t, w.transaction(t, command.Release, "a/1"))
			w.expect(t, map[string]byte{"a/1": 0, "c/1": 0})
		})
	}
}

// Whoever led and leads again still knows, also what another leader's batch locked meanwhile.
func TestLocksAreFollowed(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	w.replica.Follow(7)
	b := w.foreign(machine.SoloEpoch+1, w.transaction(t, command.Prepare, "a/1"))
	w.log.perform(&held{batch: b, done: func(replicaOutcome) {}}, nothing)
	w.replica.Lead(machine.SoloEpoch+2, w.replica.State())
	w.plant(t, "c/1")
	w.expect(t, map[string]byte{"a/1": 1, "c/1": 0})
}

// After a split each half knows its own.
func TestLocksAreSplit(t *testing.T) {
	w := newWorld(t)
	w.replica.Lead(machine.SoloEpoch, w.part)
	left, right := "a/1", "b/1"
	if string(key(left)) > string(key(right)) {
		left, right = right, left // by token
	}
	w.ask(t, w.transaction(t, command.Prepare, "a/1", "b/1"))
	at := key(right)[:keys.TokenBytes]
	w.replica.Split(&command.Command{At: at, Child: 11, Generation: w.replica.State().Descriptor.Generation}, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	w.done()
	if n := w.replica.State().Applied.Locks; n != 1 {
		t.Fatalf("%d locks are left of two", n)
	}
	free := ""
	for c := 'c'; free == "" || string(key(free)) >= string(at); c++ {
		free = string(c) + "/1"
	}
	w.plant(t, free)
	w.expect(t, map[string]byte{left: 1, free: 0})
	w.ask(t, w.transaction(t, command.Release, left))
	w.expect(t, map[string]byte{left: 0})
}
