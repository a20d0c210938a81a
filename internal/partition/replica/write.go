package replica

import (
	"errors"
	"slices"

	"stator/internal/base/must"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// pending is a command with whoever waits for its result, and what its caller saw under its key.
type pending struct {
	command *command.Command
	done    func(command.Result, error)
	seen    seen
	seenAll []seen // of a transaction's part
}

// Write queues a command. done gets a result, or a routing error; it comes once everything the result shows is durable.
//
// The caller reads the key before it queues, so that the decision loop does not wait for the disk.
func (r *Replica) Write(c *command.Command, done func(command.Result, error)) {
	r.queueUp([]pending{{command: c, done: done, seen: r.look(c), seenAll: r.lookAll(c)}})
}

// WriteAll queues commands on single items together, each of which is answered on its own, by its place: one lock and
// one wake for all of them.
func (r *Replica) WriteAll(commands []*command.Command, done func(i int, result command.Result, err error)) {
	all := make([]pending, len(commands))
	for i, s := range r.looks(commands) {
		all[i] = pending{command: commands[i], seen: s, done: func(result command.Result, err error) { done(i, result, err) }}
	}
	r.queueUp(all)
}

// queueUp queues commands in their order, as far as there is room and the partition's bound allows. What ends a transaction
// finds room always.
func (r *Replica) queueUp(all []pending) {
	r.mu.Lock()
	err := r.refusal()
	var throttled, busy []pending
	for i := range all {
		switch c := all[i].command; {
		case err != nil:
		case len(r.queue) >= queueCommandsMax && !c.Finishes() || !r.bound.takesWrite(c):
			throttled = append(throttled, all[i])
		case !r.bound.takesFeed(c):
			busy = append(busy, all[i])
		default:
			r.queue = append(r.queue, all[i])
		}
	}
	r.mu.Unlock()
	if err != nil {
		reject(all, nil, err)
		return
	}
	for i := range throttled {
		throttled[i].done(command.Result{Refusal: command.Throttled}, nil)
	}
	for i := range busy {
		busy[i].done(command.Result{}, &command.BeyondBound{})
	}
	if len(throttled)+len(busy) < len(all) {
		r.options.Queued()
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
	p := pass{state: r.decided, term: r.term, over: r.flight.newest}
	r.mu.Unlock()

	taken, answers, err := r.decide(&p, taken)
	if err != nil {
		r.quarantine(err)
		return false
	}
	r.putBack(taken[len(answers):])
	taken = taken[:len(answers)]
	r.charge(p.state.Table, taken, answers)
	d := decided{taken: taken, answers: answers, ordered: r.options.Ordered}
	p.appended = func() { d.answerSteps(Performed) }
	r.propose(p, d.answer)
	return r.waiting()
}

// decide puts into p what becomes of the commands; those left without an answer are for the next pass. One that meets what
// cannot be read fails alone where nobody else has a copy: what can be read is served. Where others have one, all fail, so that
// one of those leads.
func (r *Replica) decide(p *pass, taken []pending) (left []pending, answers []machine.Answer, err error) {
	for {
		err = whole(func() (err error) {
			p.batch, answers, err = machine.Decide(p.state, r.options.NowMillis(), newView(r, taken), commands(taken))
			return err
		})
		unread, ok := errors.AsType[*machine.Unread](err)
		switch {
		case err == nil:
			return taken, answers, nil
		case ok && p.state.Descriptor.Alone():
			taken[unread.At].done(command.Result{}, err)
			taken = slices.Delete(taken, unread.At, unread.At+1)
		default:
			reject(taken, nil, &command.Rejected{Cause: err})
			return nil, nil, err
		}
	}
}

// whole makes a broken invariant of this copy an error: the copy is quarantined, the node goes on.
func whole(f func() error) (err error) {
	defer func() {
		switch broken := recover().(type) {
		case nil:
		case *must.Broken:
			err = broken
		default:
			panic(broken)
		}
	}()
	return f()
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
		bytes += brings(r.queue[n].command)
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

// putBack has what a pass did not come to wait for the next one, in front of the others.
func (r *Replica) putBack(left []pending) {
	if len(left) == 0 {
		return
	}
	r.mu.Lock()
	err := r.refusal()
	if err == nil {
		r.queue = slices.Concat(left, r.queue)
	}
	r.mu.Unlock()
	if err != nil {
		reject(left, nil, err)
	}
}

// brings is about how many bytes a command adds to a batch at the least.
func brings(c *command.Command) int {
	bytes := len(c.Item) + len(c.Key)
	for _, e := range c.Entries {
		bytes += len(e.Item) + len(e.Key)
	}
	if c.Transaction != nil {
		for _, action := range c.Transaction.Actions {
			bytes += len(action.Item) + len(action.Key)
		}
	}
	return bytes
}

// pass is one decision: the state it was made over, which had batches up to the number over in it, in which term, and
// what came of it. appended, if any, is called once the log has the batch.
type pass struct {
	state      machine.Part
	term, over uint64
	batch      machine.Batch
	appended   func()
}

// propose gives a decided batch to the log. A pass that wrote nothing appends nothing: its answers wait for what it was
// decided over, and for a barrier begun after it. A pass that was overtaken was decided over what may not stand.
func (r *Replica) propose(p pass, done func(Outcome)) {
	r.mu.Lock()
	if r.term != p.term {
		r.mu.Unlock()
		done(Rejected)
		return
	}
	if p.batch.Empty() {
		r.confirm(p.over, done)
		return
	}
	number := r.flight.add(&p.batch)
	r.decided = p.batch.After
	r.mu.Unlock()
	r.options.Log.Append(p.batch, func(outcome Outcome) {
		if outcome != Performed {
			r.failed(number, &p.batch, outcome)
		}
		done(outcome)
	})
	if p.appended != nil {
		p.appended()
	}
}

// confirm answers a pass that wrote nothing. Whatever fails, it certainly did not happen. The caller holds mu, which
// confirm gives up.
func (r *Replica) confirm(over uint64, done func(Outcome)) {
	barrier := func(err error) {
		if err != nil {
			done(Rejected)
			return
		}
		r.options.Log.Barrier(func(err error) {
			if err != nil {
				done(Rejected)
				return
			}
			done(Performed)
		})
	}
	// Every batch that ended before was performed: a failure would have begun another term.
	durable := !r.flight.isUnder(over)
	if !durable {
		r.flight.waits = append(r.flight.waits, wait{batch: over, done: barrier})
	}
	r.mu.Unlock()
	if durable {
		barrier(nil)
	}
}

// Performed takes a batch out of flight: it is durable and reads may see it. It may be one that another copy decided.
func (r *Replica) Performed(b machine.Batch, state machine.Part) {
	r.mu.Lock()
	r.performed = state
	r.locks.performed(&b, &state)
	var done []wait
	if number := r.flight.numberOf(&b); number != 0 {
		done = r.flight.land(number, &b, Performed)
	}
	waits := len(r.queue) > 0 || len(r.changes) > 0
	r.mu.Unlock()
	for _, w := range done {
		w.done(nil)
	}
	r.options.Performed(b, state)
	if waits {
		r.options.Wake()
	}
}

// failed is the end of a batch that was not performed: what was decided over it cannot stand, so the copy goes back to
// its performed state. A solo log fails only with its engine, which stops the node; a replicated one leads anew.
func (r *Replica) failed(number uint64, b *machine.Batch, outcome Outcome) {
	r.mu.Lock()
	done := r.flight.land(number, b, outcome)
	r.decided = r.performed
	r.leading = false
	r.term++
	waiting, changes := r.takeWaiting()
	r.mu.Unlock()
	for _, w := range done {
		w.done(&command.Rejected{Cause: errLogFailed})
	}
	reject(waiting, changes, &command.NotLeader{})
}

func commands(taken []pending) []*command.Command {
	list := make([]*command.Command, len(taken))
	for i, p := range taken {
		list[i] = p.command
	}
	return list
}
