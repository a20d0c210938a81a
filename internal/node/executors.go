package node

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"stator/internal/partition/replica"
)

// executors is the pool that runs replicas which have work. An idle replica costs no goroutine.
type executors struct {
	mu     sync.Mutex
	work   sync.Cond
	ready  []*task
	closed bool
	// lent tells that whoever brings a command makes the step for it. Set before any task is.
	lent bool
}

// task is one replica's place in the pool.
type task struct {
	replica *replica.Replica
	pool    *executors
	state   atomic.Int32
}

// A task is run by one executor at a time. A wake during a run makes it run once more.
const (
	taskIdle int32 = iota
	taskReady
	taskRunning
	taskAgain
)

func newExecutors() *executors {
	x := &executors{}
	x.work.L = &x.mu
	return x
}

// wake asks for a step of the task's replica.
func (t *task) wake() {
	for {
		switch state := t.state.Load(); state {
		case taskIdle:
			if t.state.CompareAndSwap(taskIdle, taskReady) {
				t.pool.push(t)
				return
			}
		case taskRunning:
			if t.state.CompareAndSwap(taskRunning, taskAgain) {
				return
			}
		default:
			return
		}
	}
}

// queued is wake by somebody who has brought a command, and makes the step for it rather than wait for an executor's turn.
func (t *task) queued() {
	if t.pool.lent && t.state.CompareAndSwap(taskIdle, taskRunning) {
		defer t.pool.faulty()
		t.run()
		return
	}
	t.wake()
}

// faulty has a panic of a lent step end the process, as one of an executor's does. Whoever lent the goroutine recovers what its
// own request panics with, and would go on: with the commands of others unanswered, and a partition that nobody steps any more.
// Of a node that is closing nothing is stepped any more anyway.
func (x *executors) faulty() {
	fault := recover()
	if fault == nil {
		return
	}
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		panic(fault)
	}
	stack := debug.Stack()
	go panic(fmt.Sprintf("%v, in a step\n\n%s", fault, stack))
	select {} // the process ends
}

// run steps the replica of a task that is marked as running, and puts the task back if it has more to do.
func (t *task) run() {
	more := t.replica.Step()
	if more || !t.state.CompareAndSwap(taskRunning, taskIdle) {
		t.state.Store(taskReady)
		t.pool.push(t)
	}
}

func (x *executors) push(t *task) {
	x.mu.Lock()
	x.ready = append(x.ready, t)
	x.mu.Unlock()
	x.work.Signal()
}

func (x *executors) pop() (*task, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.ready) == 0 && !x.closed {
		x.work.Wait()
	}
	if len(x.ready) == 0 {
		return nil, false
	}
	t := x.ready[0]
	x.ready = x.ready[1:]
	return t, true
}

// run steps tasks until the pool is closed and empty.
func (x *executors) run(context.Context) {
	for {
		t, ok := x.pop()
		if !ok {
			return
		}
		x.step(t)
	}
}

// step runs a task that was taken from the queue.
func (x *executors) step(t *task) {
	t.state.Store(taskRunning)
	t.run()
}

// take removes the task that waits at a place of the queue, for a simulator that lets others go first.
func (x *executors) take(place int) *task {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.ready[place]
	x.ready = slices.Delete(x.ready, place, place+1)
	return t
}

func (x *executors) waiting() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.ready)
}

func (x *executors) close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.work.Broadcast()
}
