package timeline

import (
	"time"

	"stator/sim/coroutine"
)

// Start makes a routine that begins at once.
func (t *Timeline) Start(name string, body func()) {
	r := t.Routine(name, body)
	t.After(0, func() { t.Resume(r) })
}

// Routine makes a routine that begins when it is first resumed.
func (t *Timeline) Routine(name string, body func()) *coroutine.Routine {
	return t.set.Start(name, body)
}

// Resume runs a routine until it gives way, and tells whether there is more of it.
func (t *Timeline) Resume(r *coroutine.Routine) bool { return t.set.Resume(r) }

// Current is the routine that runs.
func (t *Timeline) Current() *coroutine.Routine { return t.set.Current() }

// Give has the routine that runs give way until it is resumed.
func (t *Timeline) Give() { t.set.Give() }

// End ends a routine where it stands.
func (t *Timeline) End(r *coroutine.Routine) { t.set.End(r) }

// Unwind ends all routines where they stand.
func (t *Timeline) Unwind() { t.set.Unwind() }

// Sleep is how time passes for a routine.
func (t *Timeline) Sleep(d time.Duration) {
	r := t.Current()
	t.After(d, func() { t.Resume(r) })
	t.Give()
}

// answer is a value or why there is none.
type answer[T any] struct {
	value T
	err   error
}

// Await has a routine wait for an answer; the first one counts. It is never resumed within another routine.
func Await[T any](t *Timeline, begin func(done func(T, error))) (T, error) {
	r := t.Current()
	var got answer[T]
	answered, waits := false, false
	begin(func(value T, err error) {
		if answered {
			return
		}
		got, answered = answer[T]{value, err}, true
		if waits {
			t.After(0, func() { t.Resume(r) })
		}
	})
	if !answered {
		waits = true
		t.Give()
	}
	return got.value, got.err
}
