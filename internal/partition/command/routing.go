package command

import "fmt"

// Bounds is the range of key suffixes [Lower, Upper) a partition answers for; an empty Upper is no bound.
type Bounds struct {
	Lower, Upper []byte
}

// Holds tells whether key lies within b.
func (b Bounds) Holds(key []byte) bool {
	return string(key) >= string(b.Lower) && (len(b.Upper) == 0 || string(key) < string(b.Upper))
}

// Member is one replica of a partition: which node it lies on, and whether it only learns as yet.
type Member struct {
	Replica, Node uint64
	Learner       bool `json:",omitempty"`
}

// Membership is a wish to change a partition's members, planned under a generation: one node gets a learner, or a learner
// becomes a voter, a replica goes, or the last two at once.
type Membership struct {
	Generation uint64
	// AddLearner is a node; Promote and Remove are replicas. 0 is none.
	AddLearner, Promote, Remove uint64
}

// StaleRoute is the answer to a key that is not, or no longer, this partition's: Have is what it does hold.
type StaleRoute struct {
	Partition, Generation uint64
	Have                  Bounds
}

func (e *StaleRoute) Error() string {
	return fmt.Sprintf("partition %d does not hold this key since generation %d", e.Partition, e.Generation)
}

// StaleTable is the answer to a command planned with another version of the table than the partition has adopted.
type StaleTable struct{ Have uint64 }

func (e *StaleTable) Error() string {
	return fmt.Sprintf("the partition has adopted version %d of its table", e.Have)
}

// NotLeader is the answer of a copy that does not decide.
type NotLeader struct{ Hint uint64 }

func (e *NotLeader) Error() string { return "this replica is not its partition's leader" }

// BeyondBound is the answer to a read, or to a feed, of a copy that has served as many lately as a copy of a partition does. The router fills
// in what it brought there.
type BeyondBound struct {
	// At are the places of what it would have read in a request for several items.
	At []int
	// Of are the bounds of the partitions that a feed found so.
	Of []Bounds
}

func (e *BeyondBound) Error() string { return "this copy of the partition cannot serve more now" }

// Unfit is the answer to an order that cannot be followed as things are. It changed nothing.
type Unfit struct{ Text string }

func (e *Unfit) Error() string { return e.Text }

// Trimmed is the answer to a reader of the change log who comes too late: the changes up to First are gone.
type Trimmed struct{ First uint64 }

func (e *Trimmed) Error() string { return fmt.Sprintf("the change log begins at %d", e.First) }

// Rejected certainly did not happen and may be tried again.
type Rejected struct{ Cause error }

func (e *Rejected) Error() string { return fmt.Sprintf("the write did not happen: %v", e.Cause) }
func (e *Rejected) Unwrap() error { return e.Cause }

// Ambiguous may or may not have happened: it is never tried again here.
type Ambiguous struct{ Cause error }

func (e *Ambiguous) Error() string {
	return fmt.Sprintf("nobody knows whether the write happened: %v", e.Cause)
}
func (e *Ambiguous) Unwrap() error { return e.Cause }
