// Package coroutine is code that blocks, run so that only one piece of it goes on at a time and whoever resumes it says which.
// It does not know what the pieces wait for.
package coroutine

import (
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
)

// Set is the routines of one world. Only one of them runs at a time, so the order of all that happens is the choice of whoever
// resumes them.
type Set struct {
	// Failed is told of a panic in a routine.
	Failed func(error)

	current *Routine
	all     []*Routine
}

// Routine is one of them: it is resumed when it can go on, and gives way wherever it waits.
type Routine struct {
	Name  string
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

// ended is the value of the panic that unwinds a routine whose world has ended.
type ended struct{}

// Start makes a routine, which begins when it is first resumed.
func (s *Set) Start(name string, body func()) *Routine {
	r := &Routine{Name: name}
	r.next, r.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			switch v := recover().(type) {
			case nil, ended:
			default:
				s.Failed(fmt.Errorf("panic in %s: %v\n%s", name, v, debug.Stack()))
			}
		}()
		r.yield = yield
		body()
	})
	s.all = append(s.all, r)
	return r
}

// Resume runs a routine until it gives way. It returns false when the routine is over.
func (s *Set) Resume(r *Routine) (more bool) {
	s.current = r
	_, more = r.next()
	s.current = nil
	if !more {
		s.all = slices.DeleteFunc(s.all, func(other *Routine) bool { return other == r })
	}
	return more
}

// Current is the routine that runs.
func (s *Set) Current() *Routine {
	if s.current == nil {
		panic("coroutine: something waits that is not a routine")
	}
	return s.current
}

// Give gives way until the routine that calls it is resumed.
func (s *Set) Give() {
	if !s.Current().yield(struct{}{}) {
		panic(ended{})
	}
}

// End ends a routine where it stands. It is not the one that runs.
func (s *Set) End(r *Routine) {
	before := s.current
	s.current = r
	r.stop()
	s.current = before
	s.all = slices.DeleteFunc(s.all, func(other *Routine) bool { return other == r })
}

// Unwind ends all routines where they stand.
func (s *Set) Unwind() {
	for len(s.all) > 0 {
		s.End(s.all[0])
	}
}
