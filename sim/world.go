package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/table"
	"stator/internal/node"
	"stator/sim/coroutine"
	"stator/sim/disk"
)

// world is the time between a start of the database and its end by a crash.
type world struct {
	run  *run
	disk *disk.Disk
	node *node.Steps

	set      coroutine.Set
	routines []*routine
	current  *routine
	// unsettled tells that the sync of a commit is held.
	unsettled bool
	// broken tells that the engine reported itself broken: a process would have exited there.
	broken bool
	// calm tells clients and unrest to come to an end; serving that recovery is over.
	calm, serving bool
	clients       int
}

// over tells whether the machine has stopped. What the code still does until it gives way has no consequence.
func (w *world) over() bool { return w.broken || w.disk.Crashed() != nil }

// fatal is the process's exit: whatever is answered from now on is answered by nobody.
func (w *world) fatal(error) {
	if !w.over() {
		w.run.history.Stop()
	}
	w.broken = true
}

// recover brings the database up and has a look at all of it before anything else happens.
func (w *world) recover() error {
	var err error
	done := false
	w.start("recovery", func(ctx context.Context) {
		err = w.node.Recover(ctx)
		done = true
	})
	for !done {
		if w.turn(); w.over() || w.run.failed != nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("recovering: %w", err)
	}
	if w.over() {
		return nil
	}
	w.run.note("recovered")
	w.serving = true
	if err := w.checkStore(); err != nil {
		return fmt.Errorf("after recovery: %w", err)
	}
	return nil
}

// live runs clients, background work and unrest until the clients are done and all is at rest, or the world is over.
func (w *world) live() error {
	w.startBackground()
	w.startUnrest()
	w.startClients()
	for !w.over() && w.run.failed == nil {
		w.turn()
		if w.run.left == 0 && w.clients == 0 {
			w.calm = true
			if w.atRest() {
				return w.checkAtRest()
			}
		}
		if w.run.result.Turns > turnsMax {
			return errors.New("the database does not come to rest: " + w.unrest())
		}
	}
	return nil
}

// turn makes one step of something that can go on. When nothing can, time passes.
func (w *world) turn() {
	r := w.run
	r.result.Turns++
	if w.serving && r.result.Turns >= r.nextAt {
		w.crash()
	}
	if w.over() {
		return
	}
	r.clock.Advance(time.Duration(r.random.IntN(200)) * time.Microsecond)
	ready := w.ready()
	choices := [4]int{}
	if len(ready) > 0 {
		choices[0] = r.habits.resume
	}
	if w.node.Executable() > 0 {
		choices[1] = r.habits.execute
	}
	choices[2] = r.habits.commit
	if w.unsettled {
		choices[3] = r.habits.settle
	}
	switch w.choose(choices) {
	case 0:
		w.resumeOne(ready[r.random.IntN(len(ready))])
	case 1:
		w.node.Execute(r.random.IntN(w.node.Executable()))
	case 2:
		if !w.commit() && choices == [4]int{2: choices[2]} {
			w.sleep()
		}
	case 3:
		w.settle()
	}
}

// crash stops the machine, unless it has done so often enough.
func (w *world) crash() {
	r := w.run
	if r.crashes <= 0 {
		return
	}
	r.crashes--
	r.nextAt = r.result.Turns + 1 + r.random.IntN(r.habits.crashEvery)
	r.note("crash")
	w.disk.Stop()
}

// choose draws one of the choices by their weights.
func (w *world) choose(weights [4]int) int {
	sum := 0
	for _, n := range weights {
		sum += n
	}
	at := w.run.random.IntN(sum)
	for i, n := range weights {
		if at -= n; at < 0 {
			return i
		}
	}
	panic("unreachable")
}

// ready lists the routines that can go on.
func (w *world) ready() []*routine {
	var ready []*routine
	for _, r := range w.routines {
		if r.ready() {
			ready = append(ready, r)
		}
	}
	return ready
}

func (w *world) resumeOne(r *routine) {
	if w.resume(r) {
		return
	}
	for i, other := range w.routines {
		if other == r {
			w.routines = append(w.routines[:i], w.routines[i+1:]...)
			return
		}
	}
}

// commit has the engine perform what waits; readers see it, and nobody knows yet whether it lasts. Once a sync has failed,
// which the node learns when it settles, nothing more is given to the engine: one that had to begin another log then would
// park whoever asked for it (engine.Options.Fatal), and a world of one goroutine with it.
func (w *world) commit() bool {
	if w.disk.Refuses() {
		return false
	}
	w.disk.Hold()
	defer w.disk.Unhold()
	if !w.node.Commit() {
		return false
	}
	w.unsettled = true
	if w.run.options.Durability != node.Relaxed && w.node.Engine().Broken() == nil {
		w.disk.ReachedLog()
	}
	return true
}

// settle lets the commit under way be durable and answered.
func (w *world) settle() {
	w.disk.Release()
	w.unsettled = false
	w.node.Settle()
}

// sleep lets time pass until the first sleeper wakes.
func (w *world) sleep() {
	var first time.Time
	for _, r := range w.routines {
		if !r.wakeAt.IsZero() && (first.IsZero() || r.wakeAt.Before(first)) {
			first = r.wakeAt
		}
	}
	if first.IsZero() {
		w.run.fail(errors.New("nothing can go on, and nothing waits for a moment: " + w.unrest()))
		return
	}
	if d := first.Sub(w.run.clock.Now()); d > 0 {
		w.run.clock.Advance(d)
	}
}

// atRest tells whether everything that was begun is finished, in the catalog and out of it.
func (w *world) atRest() bool { return w.unrest() == "" }

// unrest says what is not finished.
func (w *world) unrest() string {
	switch {
	case w.unsettled:
		return "a commit is not settled"
	case w.node.Executable() > 0:
		return "a replica has work"
	case !w.node.Fed():
		return "changes are not fed to indexes"
	}
	for _, r := range w.routines {
		if r.wakeAt.IsZero() {
			return r.Name + " waits"
		}
	}
	for _, id := range w.node.Partitions() {
		if r, ok := w.node.Replica(id); ok && r.State().Expiry != nil {
			return fmt.Sprintf("the index of expiry of partition %d is not whole", id)
		}
		if r, ok := w.node.Replica(id); ok && r.State().Applied.Locks > 0 {
			return fmt.Sprintf("partition %d has locks", id)
		}
	}
	for _, entry := range w.node.Catalog().Entries() {
		if entry.Table.State != table.Active || !entry.Table.Settled() {
			return fmt.Sprintf("table %s is %s", entry.Table.Name, entry.Table.State)
		}
		if len(entry.Splits) > 0 {
			return fmt.Sprintf("table %s has a split under way", entry.Table.Name)
		}
	}
	return ""
}

// end leaves a world that is over, and returns the disk as the next one finds it.
func (w *world) end() *vfs.MemFS {
	files := w.disk.Stop()
	w.run.ledger.End()
	w.run.history.End()
	w.leave()
	// A machine may come back with its clock set back.
	if w.run.random.IntN(3) == 0 {
		w.run.clock.Advance(-time.Duration(w.run.random.IntN(3000)) * time.Millisecond)
	}
	return files
}

// leave gives back what a world holds. Its engine may complain of what is under way.
func (w *world) leave() {
	w.unwind()
	w.disk.Release()
	if w.node != nil {
		_ = w.node.Abandon() // a crash closes nothing
	}
}

// close ends a world that is at rest.
func (w *world) close() error {
	w.unwind()
	// A disk that fails at the very last sync is complained of, rightly: everything was durable before.
	if err := w.node.Abandon(); err != nil && !errors.Is(err, disk.ErrSync) {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}
