package sim

import (
	"context"
	"time"

	"stator/sim/coroutine"
)

// routine is a coroutine with what it waits for.
type routine struct {
	*coroutine.Routine
	ready  func() bool
	wakeAt time.Time // zero unless it sleeps
}

// start makes a routine, which begins when the world first resumes it.
func (w *world) start(name string, body func(ctx context.Context)) {
	r := &routine{ready: always}
	r.Routine = w.set.Start(name, func() { body(context.Background()) })
	w.routines = append(w.routines, r)
}

func always() bool { return true }

// resume runs a routine until it waits. It returns false when the routine is over.
func (w *world) resume(r *routine) bool {
	w.current = r
	more := w.set.Resume(r.Routine)
	w.current = nil
	return more
}

// give lets the world go on until ready.
func (w *world) give(ready func() bool, wakeAt time.Time) {
	r := w.current
	if r == nil {
		panic("sim: something waits that is not a routine")
	}
	r.ready, r.wakeAt = ready, wakeAt
	w.set.Give()
	r.ready, r.wakeAt = always, time.Time{}
}

// wait is the replica.Wait of this world.
func (w *world) wait(_ context.Context, done <-chan struct{}) error {
	came := false
	comes := func() bool {
		if came {
			return true // taken out of it once
		}
		select {
		case <-done:
			came = true
		default:
		}
		return came
	}
	for !comes() {
		w.give(comes, time.Time{})
	}
	return nil
}

// pause is how time passes for a routine.
func (w *world) pause(_ context.Context, d time.Duration) error {
	until := w.run.clock.Now().Add(d)
	w.give(func() bool { return !w.run.clock.Now().Before(until) }, until)
	return nil
}

// unwind ends all routines where they stand.
func (w *world) unwind() {
	w.set.Unwind()
	w.current, w.routines = nil, nil
}
