package replica

import (
	"fmt"

	"stator/internal/base/must"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// pending is a command with whoever waits for its result.
type pending struct {
	command *command.Command
	done    func(command.Result, error)
}

// Write queues a command. done gets a result, or a routing error; it comes once everything the result shows is durable.
func (r *Replica) Write(c *command.Command, done func(command.Result, error)) {
	r.mu.Lock()
	err := r.refusal()
	full := len(r.queue) >= queueCommandsMax
	if err == nil && !full {
		r.queue = append(r.queue, pending{command: c, done: done})
	}
	r.mu.Unlock()
	switch {
	case err != nil:
		done(command.Result{}, err)
	case full:
		done(command.Result{Refusal: command.Throttled}, nil)
	default:
		r.options.Wake()
	}
}

// refusal tells why this copy does not decide now. The caller holds mu.
func (r *Replica) refusal() error {
	if r.broken != nil {
		return &command.Rejected{Cause: r.broken}
	}
	if !r.leading {
		return &command.NotLeader{Hint: r.hint}
	}
	return nil
}

// Step decides what waits. It is called by one executor at a time and returns whether more could be decided at once.
func (r *Replica) Step() (more bool) {
	r.mu.Lock()
	if len(r.changes) > 0 || r.changing {
		r.mu.Unlock()
		r.stepChange()
		return false
	}
	if len(r.queue) == 0 || r.refusal() != nil || r.flight.count() >= flightsMax {
		r.mu.Unlock()
		return false
	}
	taken := r.take()
	state, number := r.decided, r.flight.last
	r.mu.Unlock()

	batch, answers, err := r.decide(state, commands(taken))
	if err != nil {
		reject(taken, nil, &command.Rejected{Cause: err})
		r.quarantine(err)
		return false
	}
	r.propose(batch, number, func(outcome Outcome) { answer(taken, answers, outcome) })
	return r.waiting()
}

// decide makes a broken invariant of this copy an error: the copy is quarantined, the node goes on.
func (r *Replica) decide(state machine.Part, queue []*command.Command) (b machine.Batch, answers []machine.Answer, err error) {
	defer func() {
		switch broken := recover().(type) {
		case nil:
		case *must.Broken:
			err = broken
		default:
			panic(broken)
		}
	}()
	return machine.Decide(state, r.options.NowMillis(), (*view)(r), queue)
}

func (r *Replica) waiting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) > 0 && r.flight.count() < flightsMax
}

// take cuts one pass's worth off the queue. The caller holds mu.
func (r *Replica) take() []pending {
	n, bytes := 0, 0
	for n < len(r.queue) && n < batchCommandsMax && bytes < batchBytesMax {
		c := r.queue[n].command
		bytes += len(c.Item) + len(c.Key)
		for _, e := range c.Entries {
			bytes += len(e.Item) + len(e.Key)
		}
		n++
	}
	taken := r.queue[:n:n]
	if n == len(r.queue) {
		r.queue = nil
	} else {
		r.queue = r.queue[n:]
	}
	return taken
}

// propose gives a decided batch to the log. A pass that wrote nothing appends nothing: its answers wait for what it was
// decided over, and for a barrier begun after it.
func (r *Replica) propose(batch machine.Batch, over uint64, done func(Outcome)) {
	if batch.Empty() {
		r.afterBatch(over, func(err error) {
			if err != nil {
				done(Ambiguous)
				return
			}
			r.options.Log.Barrier(func(err error) {
				if err != nil {
					done(Rejected)
					return
				}
				done(Performed)
			})
		})
		return
	}
	r.mu.Lock()
	r.flight.add(&batch)
	r.decided = batch.After
	r.mu.Unlock()
	r.options.Log.Append(batch, func(outcome Outcome) {
		if outcome != Performed {
			r.failed(&batch)
		}
		done(outcome)
	})
}

// Performed takes a batch out of flight: it is durable and reads may see it.
func (r *Replica) Performed(b machine.Batch, state machine.Part) {
	r.mu.Lock()
	r.performed = state
	done := r.flight.land(&b)
	r.mu.Unlock()
	for _, w := range done {
		w.done(nil)
	}
	r.options.Performed(b, state)
	r.options.Wake()
}

// failed is the end of a batch that was not performed: what was decided over it cannot stand, so the copy goes back to
// its performed state. A solo log fails only with its engine, which stops the node; a replicated one leads anew.
func (r *Replica) failed(b *machine.Batch) {
	r.mu.Lock()
	done := r.flight.land(b)
	r.decided = r.performed
	r.leading = false
	waiting, changes := r.takeWaiting()
	r.mu.Unlock()
	for _, w := range done {
		w.done(errLogFailed)
	}
	reject(waiting, changes, &command.NotLeader{})
}

// afterBatch calls done once the batch with this number, and so every earlier one, is durable, or with why it is not.
func (r *Replica) afterBatch(number uint64, done func(error)) {
	r.mu.Lock()
	if number <= r.flight.first {
		r.mu.Unlock()
		done(nil)
		return
	}
	r.flight.waits = append(r.flight.waits, wait{batch: number, done: done})
	r.mu.Unlock()
}

func commands(taken []pending) []*command.Command {
	list := make([]*command.Command, len(taken))
	for i, p := range taken {
		list[i] = p.command
	}
	return list
}

func answer(taken []pending, answers []machine.Answer, outcome Outcome) {
	for i, p := range taken {
		switch {
		case answers[i].Err != nil:
			p.done(command.Result{}, answers[i].Err)
		case outcome == Performed:
			p.done(answers[i].Result, nil)
		case outcome == Rejected:
			p.done(command.Result{}, &command.Rejected{Cause: errLogFailed})
		default:
			p.done(command.Result{}, &command.Ambiguous{Cause: errLogFailed})
		}
	}
}

// view is what a decision of this replica reads: the engine below the batches in flight.
type view Replica

// Get returns the newest value under key that was ever decided here.
func (v *view) Get(key []byte) ([]byte, bool, error) {
	v.mu.Lock()
	flown, ok := v.flight.writes[string(key)]
	v.mu.Unlock()
	if ok {
		return flown.value, flown.value != nil, nil
	}
	value, found, err := v.options.Engine.Get(key, nil)
	if err != nil {
		return nil, false, fmt.Errorf("reading what a command decides on: %w", err)
	}
	return value, found, nil
}
