// Package replica is one copy of one partition: it queues commands, has them decided, and serves reads. It does not know
// how its log makes a batch durable, or that other partitions exist.
package replica

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
)

// Bounds of a replica's queues.
const (
	// queueCommandsMax is how many commands may wait for a decision; one more is refused as Throttled.
	queueCommandsMax = 4096
	// batchCommandsMax and batchBytesMax end what a decision pass takes; a single command may be larger. What it writes may end
	// it earlier (machine.BatchBytesMax).
	batchCommandsMax = 256
	batchBytesMax    = 1 << 20
	// flightsMax is how many batches may be under way to the log: further ones are decided over the one being synced and
	// wait for the sync after it; what comes beyond them gathers into a larger batch.
	flightsMax = 4
)

var (
	errQuarantined = errors.New("this copy of the partition is quarantined")
	errStopped     = errors.New("this copy of the partition has stopped")
	errLogFailed   = errors.New("the log did not perform the batch")
	errReplacing   = errors.New("this copy of the partition is being replaced by a snapshot")
	errLost        = errors.New("nobody knows whether the newest write of this key happened")
	errFull        = errors.New("too many changes of the partition wait")
)

// Options are a replica's surroundings. Wake asks for a Step soon, and so does Queued, on behalf of a caller who has just
// brought a command and would wait for it: it may make the step itself. NowMillis is the clock a decision is given.
type Options struct {
	Partition uint64
	Engine    *engine.Engine
	Log       Log
	Wake      func()
	Queued    func()
	NowMillis func() int64
	// Steady is a clock that never jumps, by which it is counted what this copy serves, and where it falls; nil: nobody counts.
	Steady func() time.Duration
	// Bounded tells that this copy is kept to what one copy of a partition serves. Without that it counts what it would have refused.
	Bounded bool
	// Ordered tells that one log keeps all partitions there are: what is appended later, to whichever of them, becomes
	// durable later.
	Ordered bool
	// Led is told whenever this copy begins to lead; nil is nobody.
	Led func(machine.Part)
	// Performed is told of every performed batch, after it is visible to reads.
	Performed func(machine.Batch, machine.Part)
	// Broken is told once if this copy breaks an invariant: it serves nothing any more.
	Broken func(error)
}

// Replica is one copy of one partition.
//
// Invariant: performed is what reads may see; decided is performed plus the batches in flight.
type Replica struct {
	options Options
	bound   *bound
	traffic traffic
	busy    busy
	// replacements counts the beginnings and ends of times in which reads may find nothing of what there is.
	replacements atomic.Uint64

	mu      sync.Mutex
	leading bool
	hint    uint64
	broken  error
	// replacing tells that a snapshot is about to take the place of the state: nothing is read meanwhile.
	replacing bool
	// term counts what ends the validity of decisions under way: a pass that was begun in another proposes nothing.
	term      uint64
	performed machine.Part
	decided   machine.Part
	queue     []pending
	// changing tells that a change was taken off changes and is not answered: nothing else is decided meanwhile.
	changes  []change
	changing bool
	flight   flights
	locks    locks
}

// New returns a copy that neither leads nor follows until its log says so.
func New(o Options) *Replica {
	if o.Queued == nil {
		o.Queued = o.Wake
	}
	r := &Replica{options: o, bound: newBound(o.Steady, !o.Bounded), traffic: traffic{now: o.Steady}}
	r.flight.writes = map[string]flown{}
	return r
}

// Lead makes this copy decide from state, in epoch: a new epoch counts its batches from the first.
func (r *Replica) Lead(epoch uint64, state machine.Part) {
	r.mu.Lock()
	r.leading, r.hint = true, 0
	r.settle(state)
	if state.Applied.Epoch != epoch {
		r.decided.Applied.Epoch, r.decided.Applied.Chain = epoch, 0
	}
	r.mu.Unlock()
	r.traffic.forget()
	if r.options.Led != nil {
		r.options.Led(state)
	}
	r.options.Wake()
}

// settle takes over a state that is certain. The caller holds mu.
func (r *Replica) settle(state machine.Part) {
	r.term++
	r.performed, r.decided = state, state
	r.flight.forget()
	r.locks.begin(&state)
}

// Follow makes this copy refuse to decide; what waits is sent away to look for the leader.
func (r *Replica) Follow(hint uint64) {
	r.mu.Lock()
	r.term++
	led := r.leading
	r.leading, r.hint = false, hint
	r.flight.forget()
	waiting, changes := r.takeWaiting()
	r.mu.Unlock()
	if led {
		r.traffic.forget()
	}
	reject(waiting, changes, &command.NotLeader{Hint: hint})
}

// Replacing ends reads until Replaced: what they look at goes, in part before what comes can be seen.
func (r *Replica) Replacing() {
	r.mu.Lock()
	r.replacing = true
	r.replacements.Add(1)
	r.mu.Unlock()
}

// Replaced takes over a state that came by snapshot.
func (r *Replica) Replaced(state machine.Part) {
	r.mu.Lock()
	r.replacing = false
	r.replacements.Add(1)
	r.locks.forget()
	r.settle(state)
	r.mu.Unlock()
}

// Stop sends everything that waits away, and nothing is given to the log any more. Batches in flight still come back
// from it: see Drained.
func (r *Replica) Stop() {
	r.mu.Lock()
	r.term++
	if r.broken == nil {
		r.broken = errStopped
	}
	waiting, changes := r.takeWaiting()
	r.mu.Unlock()
	reject(waiting, changes, &command.Rejected{Cause: errStopped})
}

// Drained calls done once nothing of this copy is under way to the log. After Stop it stays so: what the partition owns
// can go then, and no batch writes it anew.
func (r *Replica) Drained(done func()) {
	r.mu.Lock()
	under := r.flight.under
	if len(under) == 0 {
		r.mu.Unlock()
		done()
		return
	}
	newest := under[len(under)-1].number
	r.flight.waits = append(r.flight.waits, wait{batch: newest, done: func(error) { r.Drained(done) }})
	r.mu.Unlock()
}

// State is the partition's performed state.
func (r *Replica) State() machine.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.performed
}

// Position is the log's: what a read here, made before the call, showed is not behind begun.
func (r *Replica) Position() (performed, begun uint64) { return r.options.Log.Position() }

// quarantine ends this copy's service: an invariant is broken and a wrong byte is worse than none.
func (r *Replica) quarantine(err error) {
	r.mu.Lock()
	r.term++
	first := r.broken == nil
	if first {
		r.broken = err
	}
	waiting, changes := r.takeWaiting()
	r.mu.Unlock()
	reject(waiting, changes, &command.Rejected{Cause: errQuarantined})
	if first {
		r.options.Broken(err)
	}
}

func (r *Replica) takeWaiting() ([]pending, []change) {
	waiting, changes := r.queue, r.changes
	r.queue, r.changes = nil, nil
	return waiting, changes
}

func reject(waiting []pending, changes []change, err error) {
	for _, p := range waiting {
		p.done(command.Result{}, err)
	}
	for _, c := range changes {
		c.done(err)
	}
}
