package machine

import "stator/internal/partition/command"

// Kind tells what a batch changes besides items.
type Kind byte

// The kinds of a batch. All but writes are proposed with nothing in flight. A batch that moves changes the partition's
// members: its log proposes it as a configuration change.
const (
	Writes Kind = iota + 1
	Adopts
	Splits
	Moves
)

// Batch is what a leader decided for its whole queue: physical writes that every replica performs as they are.
type Batch struct {
	Kind Kind
	// Epoch and Chain place the batch; Generation is the one it was decided under.
	Epoch, Chain, Generation uint64
	Writes                   []Write
	Ranges                   []Range
	// After is the partition's state once the batch is performed; its records are among Writes.
	After Part
	// Child is the state of the right half of a split.
	Child *Part
	// Changes counts the change records among Writes.
	Changes int
	// Due is the earliest second at which an item that the batch wrote expires; 0 for none.
	Due uint64
}

// Write is one engine key with its new value; nil Value deletes it.
type Write struct {
	Key, Value []byte
}

// Range is a span [Lower, Upper) of engine keys that goes.
type Range struct{ Lower, Upper []byte }

// Empty tells whether the batch asks nothing of the log.
func (b *Batch) Empty() bool { return len(b.Writes) == 0 && len(b.Ranges) == 0 }

// Store takes what a batch writes.
type Store interface {
	Set(key, value []byte)
	Delete(key []byte)
	DeleteRange(lower, upper []byte)
}

// Fill writes the batch. Its ranges go first, so that what the same batch writes stays.
func (b *Batch) Fill(to Store) {
	for _, r := range b.Ranges {
		to.DeleteRange(r.Lower, r.Upper)
	}
	for _, w := range b.Writes {
		if w.Value == nil {
			to.Delete(w.Key)
		} else {
			to.Set(w.Key, w.Value)
		}
	}
}

// Reader reads what is stored under a key. A returned value is the caller's to keep.
type Reader interface {
	Get(key []byte) (value []byte, found bool, err error)
}

// View is what a decision reads: the engine below everything that was decided and is not durable yet.
type View interface {
	Reader
	// Head is Get for a caller who looks at the first record.ItemHeadBytes only: there may be more, or not.
	Head(key []byte) (value []byte, found bool, err error)
	// Busy are the parts of a global index, by its id, that cannot take more entries now.
	Busy(index uint64) []command.Bounds
}

// Answer is what came of one command: a result, or a routing error.
type Answer struct {
	Result command.Result
	Err    error
	// Known tells which entries of a Feed were there already, or newer ones; nil is none.
	Known []bool
}
