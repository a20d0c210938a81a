// Package timeline is one time in which all of a simulated world happens, in an order that a seed replays. It does not know
// what happens.
package timeline

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"stator/sim/coroutine"
)

// Timeline is the time of one world. Whatever happens in it happens in one goroutine.
type Timeline struct {
	// Random draws whatever is left to chance.
	Random *rand.Rand
	// Now is how long the world has gone on.
	Now time.Duration
	// Turns counts what has happened.
	Turns int

	trace  io.Writer
	failed error
	events events
	set    coroutine.Set
}

// New returns the time of a world that has not begun. trace gets a line for everything that is noted.
func New(random *rand.Rand, trace io.Writer) *Timeline {
	t := &Timeline{Random: random, trace: trace}
	t.set = coroutine.Set{Failed: t.Fail}
	return t
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

// After plans something.
func (t *Timeline) After(d time.Duration, do func()) {
	t.events.last++
	heap.Push(&t.events, event{at: t.Now + max(0, d), number: t.events.last, do: do})
}

// Run lets things happen until done, and tells whether it came to that before the deadline.
func (t *Timeline) Run(done func() bool, deadline time.Duration) bool {
	for t.failed == nil && !done() {
		if t.Now > deadline || t.events.Len() == 0 {
			return false
		}
		next := heap.Pop(&t.events).(event)
		t.Now = next.at
		t.Turns++
		t.happen(next)
	}
	return true
}

// happen lets one event happen. A panic is something wrong as any other: its seed is told, and the next one is run.
func (t *Timeline) happen(e event) {
	defer func() {
		if v := recover(); v != nil {
			t.Fail(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	e.do()
}

// Fail remembers the first thing that was wrong. Nothing happens any more.
func (t *Timeline) Fail(err error) {
	if t.failed == nil && err != nil {
		t.failed = fmt.Errorf("at %s: %w", t.Now, err)
	}
}

// Failed is the first thing that was wrong.
func (t *Timeline) Failed() error { return t.failed }

// Note adds a line to the trace.
func (t *Timeline) Note(format string, args ...any) {
	fmt.Fprintf(t.trace, "%d "+format+"\n", append([]any{t.Now.Microseconds()}, args...)...)
}

// Between draws a duration.
func (t *Timeline) Between(least, most time.Duration) time.Duration {
	return least + time.Duration(t.Random.Int64N(int64(most-least)+1))
}

// Chance is true so many times of a hundred.
func (t *Timeline) Chance(percent int) bool { return t.Random.IntN(100) < percent }

// Pick draws one of some numbers.
func (t *Timeline) Pick(of ...int) int { return of[t.Random.IntN(len(of))] }
