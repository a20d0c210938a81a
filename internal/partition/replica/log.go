package replica

import (
	"stator/internal/partition/machine"
)

// Outcome is what the log says of a batch.
type Outcome byte

// The outcomes.
const (
	// Performed: durable, and to be seen by every read from now on.
	Performed Outcome = iota + 1
	// Rejected: certainly not performed; it may be tried again.
	Rejected
	// Ambiguous: nobody knows. A log that goes on tells its copy Lead, Follow or Replaced after it; until then what the
	// batch wrote is not shown.
	Ambiguous
)

// Log keeps a partition's batches. It steps and never blocks: both callbacks come later, or before the call returns.
type Log interface {
	// Append makes b durable and agreed.
	Append(b machine.Batch, done func(Outcome))
	// Barrier calls done once a read here would see every write acknowledged before the call. Its error may be a NotLeader.
	Barrier(done func(error))
	// Position tells where this copy stands in the order in which all copies perform: reads show everything up to performed
	// and nothing behind begun. A log that one copy keeps alone has no such order, and both are 0.
	Position() (performed, begun uint64)
}

// Copy is what a log tells the copy it keeps.
type Copy interface {
	// Lead makes the copy decide, in epoch, from state.
	Lead(epoch uint64, state machine.Part)
	// Follow ends that: hint is the node that leads, 0 if unknown.
	Follow(hint uint64)
	// Performed comes for every batch in order, also for those that another copy decided, before the batch's own done.
	Performed(b machine.Batch, state machine.Part)
	// Replacing comes before a snapshot takes the place of the state: until Replaced, reads may find half of either.
	Replacing()
	// Replaced comes when that is done.
	Replaced(state machine.Part)
}

var _ Copy = (*Replica)(nil)
