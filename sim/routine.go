package sim

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"time"
)

// routine is code that blocks, run as a coroutine: it is resumed by the world, when it can go on, and gives way wherever
// it waits. Only one runs at a time, so the order of all that happens is the world's choice.
type routine struct {
	name   string
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	ready  func() bool
	wakeAt time.Time // zero unless it sleeps
}

// ended is the value of the panic that unwinds a routine whose world has ended.
type ended struct{}

// start makes a routine, which begins when the world first resumes it.
func (w *world) start(name string, body func(ctx context.Context)) *routine {
	r := &routine{name: name, ready: always}
	r.next, r.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			switch v := recover().(type) {
			case nil, ended:
			default:
				w.run.fail(fmt.Errorf("panic in %s: %v\n%s", name, v, debug.Stack()))
			}
		}()
		r.yield = yield
		body(context.Background())
	})
	w.routines = append(w.routines, r)
	return r
}

func always() bool { return true }

// resume runs a routine until it waits. It returns false when the routine is over.
func (w *world) resume(r *routine) bool {
	w.current = r
	_, more := r.next()
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
	if !r.yield(struct{}{}) {
		panic(ended{})
	}
	r.ready, r.wakeAt = always, time.Time{}
}

// wait is the replica.Wait of this world.
func (w *world) wait(_ context.Context, done <-chan struct{}) error {
	closed := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	for !closed() {
		w.give(closed, time.Time{})
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
	for _, r := range w.routines {
		w.current = r
		r.stop()
	}
	w.current, w.routines = nil, nil
}
