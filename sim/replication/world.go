package replication

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"stator/sim/coroutine"
	"stator/sim/history"
)

// world is everything there is: nodes, what connects them, clients, and one time that all of it passes in.
type world struct {
	options Options
	random  *rand.Rand
	habits  habits
	now     time.Duration
	events  events
	set     coroutine.Set

	nodes   []*node
	network network
	layout  layout

	history  history.History
	glimpses glimpses
	batches  batches
	sums     sums
	homes    homes
	tags     int64
	// clients are those that have not ended; calm tells all to come to an end, and trouble to stop.
	clients int
	calm    bool

	result Result
	trace  io.Writer
	failed error
}

// event is something that happens at a moment; of those at one moment the first that was planned is first.
type event struct {
	at     time.Duration
	number uint64
	do     func()
}

// events is a heap of them.
type events struct {
	list []event
	last uint64
}

func (e *events) Len() int { return len(e.list) }
func (e *events) Less(i, j int) bool {
	a, b := e.list[i], e.list[j]
	return a.at < b.at || a.at == b.at && a.number < b.number
}
func (e *events) Swap(i, j int) { e.list[i], e.list[j] = e.list[j], e.list[i] }
func (e *events) Push(x any)    { e.list = append(e.list, x.(event)) }
func (e *events) Pop() any {
	last := e.list[len(e.list)-1]
	e.list = e.list[:len(e.list)-1]
	return last
}

// after plans something.
func (w *world) after(d time.Duration, do func()) {
	w.events.last++
	heap.Push(&w.events, event{at: w.now + max(0, d), number: w.events.last, do: do})
}

// run lets events happen until done, and tells whether it came to that before the deadline.
func (w *world) run(done func() bool, deadline time.Duration) bool {
	for w.failed == nil && !done() {
		if w.now > deadline || w.events.Len() == 0 {
			return false
		}
		next := heap.Pop(&w.events).(event)
		w.now = next.at
		w.result.Turns++
		w.happen(next)
	}
	return true
}

// happen lets one event happen. A panic is something wrong as any other: its seed is told, and the next one is run.
func (w *world) happen(e event) {
	defer func() {
		if v := recover(); v != nil {
			w.fail(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	e.do()
}

// fail remembers the first thing that was wrong.
func (w *world) fail(err error) {
	if w.failed == nil && err != nil {
		w.failed = fmt.Errorf("at %s: %w", w.now, err)
	}
}

// note adds a line to the trace.
func (w *world) note(format string, args ...any) {
	fmt.Fprintf(w.trace, "%d "+format+"\n", append([]any{w.now.Microseconds()}, args...)...)
}

// between draws a duration.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.random.Int64N(int64(most-least)+1))
}

// chance is true so many times of a hundred.
func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

// start makes a routine that begins at once.
func (w *world) start(name string, body func()) {
	r := w.set.Start(name, body)
	w.after(0, func() { w.set.Resume(r) })
}

// sleep is how time passes for a routine.
func (w *world) sleep(d time.Duration) {
	r := w.set.Current()
	w.after(d, func() { w.set.Resume(r) })
	w.set.Give()
}

// answer is a value or why there is none.
type answer[T any] struct {
	value T
	err   error
}

// await has a routine wait for an answer; the first one counts. It is never resumed within another routine.
func await[T any](w *world, begin func(done func(T, error))) (T, error) {
	r := w.set.Current()
	var got answer[T]
	answered, waits := false, false
	begin(func(value T, err error) {
		if answered {
			return
		}
		got, answered = answer[T]{value, err}, true
		if waits {
			w.after(0, func() { w.set.Resume(r) })
		}
	})
	if !answered {
		waits = true
		w.set.Give()
	}
	return got.value, got.err
}
