package cluster

import (
	"context"
	"slices"
	"time"

	"stator/internal/node"
	"stator/sim/coroutine"
)

// waiting is a routine of a machine until what it waits for comes.
type waiting struct {
	routine *coroutine.Routine
	comes   func() bool
}

// run makes a routine of the machine, which ends with it.
func (m *machine) run(name string, body func()) {
	r := m.world.Routine(name, body)
	m.routines = append(m.routines, r)
	m.do(func() { m.resume(r) })
}

func (m *machine) resume(r *coroutine.Routine) {
	if !m.world.Resume(r) {
		m.routines = slices.DeleteFunc(m.routines, func(other *coroutine.Routine) bool { return other == r })
	}
}

// until has the routine that runs wait until something comes. That is looked at whenever the machine has done anything.
func (m *machine) until(comes func() bool) {
	m.waiting = append(m.waiting, waiting{m.world.Current(), comes})
	m.world.Give()
}

// wake resumes the routines whose wait is over.
func (m *machine) wake() {
	m.waiting = slices.DeleteFunc(m.waiting, func(each waiting) bool {
		over := each.comes()
		if over {
			m.do(func() { m.resume(each.routine) })
		}
		return over
	})
}

// wait is the replica.Wait of a machine.
func (m *machine) wait(ctx context.Context, done <-chan struct{}) error {
	came := false
	comes := func() bool {
		select {
		case <-done:
			came = true
		default:
		}
		return came
	}
	return m.await(ctx, comes)
}

// await has the routine that runs wait until something comes, or ctx ends.
func (m *machine) await(ctx context.Context, comes func() bool) error {
	if comes() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	end, bounded := ctx.Deadline()
	late := false
	if bounded {
		m.Later(end.Sub(startMoment)-m.world.Now, func() {})
	}
	m.until(func() bool {
		if comes() {
			return true
		}
		late = bounded && m.world.Now >= end.Sub(startMoment)
		return late
	})
	if late {
		return context.DeadlineExceeded
	}
	return nil
}

// pause is how time passes for a routine of a machine.
func (m *machine) pause(ctx context.Context, d time.Duration) error {
	ctx, end := m.within(ctx, d)
	defer end()
	outer := ctx.(*bounded).Context
	_ = m.await(ctx, func() bool { return false })
	return outer.Err()
}

// bounded is a context that ends by the world's time.
type bounded struct {
	context.Context
	world *world
	end   time.Duration
	over  bool // it was ended by whoever made it
}

// within bounds what is waited for.
func (m *machine) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	b := &bounded{Context: ctx, world: m.world, end: m.world.Now + m.Clock.Stretched(d)}
	if outer, ok := ctx.Deadline(); ok {
		b.end = min(b.end, outer.Sub(startMoment))
	}
	return b, func() { b.over = true }
}

// Deadline implements context.Context.
func (b *bounded) Deadline() (time.Time, bool) { return startMoment.Add(b.end), true }

// Err implements context.Context.
func (b *bounded) Err() error {
	switch {
	case b.Context.Err() != nil:
		return b.Context.Err()
	case b.over:
		return context.Canceled
	case b.world.Now >= b.end:
		return context.DeadlineExceeded
	}
	return nil
}

// retryAfter is the wait after a duty's failure.
const retryAfter = 200 * time.Millisecond

// attend makes a duty for as long as the machine is up.
func (m *machine) attend(ctx context.Context, d node.Duty) {
	_ = m.pause(ctx, m.world.Between(0, d.Every()))
	for {
		if err := d.Step(ctx); err != nil {
			m.world.Note("machine %d: %s: %v", m.Number, d.Name(), err)
			_ = m.pause(ctx, retryAfter)
			continue
		}
		next, end := m.within(ctx, d.Every())
		_ = m.await(next, d.Asked)
		end()
	}
}
