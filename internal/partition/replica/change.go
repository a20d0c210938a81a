package replica

import (
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// change is a batch that is proposed alone, with nothing in flight.
type change struct {
	propose func(machine.Part) (machine.Batch, error)
	done    func(error)
}

// Adopt puts a table's description into the partition's state. done comes when it is durable, or was there already.
func (r *Replica) Adopt(t *table.Table, done func(error)) {
	r.enqueue(change{propose: func(state machine.Part) (machine.Batch, error) { return machine.Adopt(state, t) }, done: done})
}

// Split cuts the partition as c says. done comes before anything else is decided here.
func (r *Replica) Split(c *command.Command, done func(error)) {
	r.enqueue(change{propose: func(state machine.Part) (machine.Batch, error) { return machine.Split(state, c, r.rows) }, done: done})
}

// Move changes the partition's members as m says.
func (r *Replica) Move(m command.Membership, done func(error)) {
	r.enqueue(change{propose: func(state machine.Part) (machine.Batch, error) { return machine.Move(state, m) }, done: done})
}

// rows counts what the engine holds in [lower, upper). Nothing is in flight.
func (r *Replica) rows(lower, upper []byte) (n int64, err error) {
	iterator, err := r.options.Engine.Iter(lower, upper)
	if err != nil {
		return 0, err
	}
	for ok := iterator.First(); ok; ok = iterator.Next() {
		n++
	}
	return n, iterator.Close()
}

func (r *Replica) enqueue(c change) {
	r.mu.Lock()
	err := r.refusal()
	if err == nil && len(r.changes) >= queueCommandsMax {
		err = &command.Rejected{Cause: errFull}
	}
	if err == nil {
		r.changes = append(r.changes, c)
	}
	r.mu.Unlock()
	if err != nil {
		c.done(err)
		return
	}
	r.options.Wake()
}

// stepChange proposes the oldest change once nothing is in flight: until then nothing new is decided, so that the
// replica drains.
func (r *Replica) stepChange() {
	r.mu.Lock()
	if len(r.changes) == 0 || r.changing || r.flight.count() > 0 || r.refusal() != nil {
		r.mu.Unlock()
		return
	}
	r.changing = true
	c := r.changes[0]
	r.changes = r.changes[1:]
	p := pass{state: r.decided, term: r.term}
	r.mu.Unlock()
	var err error
	if p.batch, err = c.propose(p.state); err != nil || p.batch.Empty() {
		r.finishChange(c, err)
		return
	}
	r.propose(p, func(outcome Outcome) {
		switch outcome {
		case Performed:
			r.finishChange(c, nil)
		case Rejected:
			r.finishChange(c, &command.Rejected{Cause: errLogFailed})
		default:
			r.finishChange(c, &command.Ambiguous{Cause: errLogFailed})
		}
	})
}

// finishChange answers a change while the queue still stands still, so that its done sees the partition as the change
// left it; then the queue moves on.
func (r *Replica) finishChange(c change, err error) {
	c.done(err)
	r.mu.Lock()
	r.changing = false
	r.mu.Unlock()
	r.options.Wake()
}
