// Package placement decides which nodes keep which partitions: from facts of the cluster to the next safe steps towards an
// even, zone-spread layout. It knows no clock, goroutine, randomness or I/O, and does not perform what it decides.
package placement

import "time"

// CatalogPartition is kept by more nodes than others where there are enough: without it nothing can be placed.
const CatalogPartition = 1

// State is what the catalog says of a node.
type State byte

// The states of a node.
const (
	// Joining nodes are given nothing yet, Up ones are given replicas.
	Joining State = iota
	Up
	// Leaving nodes serve what they have until others have it.
	Leaving
	// Gone nodes have nothing and never come back.
	Gone
)

func (s State) String() string { return [...]string{"joining", "up", "leaving", "gone"}[s] }

// Node is one node as partition 1's leader sees it.
type Node struct {
	ID    uint64
	Zone  string
	State State
	// Silent is for how long nothing was heard of it.
	Silent time.Duration
	// DiskBytes is how large its disk is, FreeBytes what is free there. A DiskBytes of 0 is not known: the node is taken
	// for an average one with room.
	DiskBytes, FreeBytes int64
}

// Replica is one copy of a partition.
type Replica struct {
	Node uint64
	// Learner tells that it gets everything and does not vote: it is on its way in.
	Learner bool
	// Current tells that its log is near the leader's: it would have caught up within a moment.
	Current bool
	// Damaged is for how long it has been out of service on a node that may be well; 0 if it is not.
	Damaged time.Duration
	// Heat is what it serves, 1 being the most that one copy of a partition serves.
	Heat float64
}

// Partition is one partition as its leader reports it.
type Partition struct {
	ID uint64
	// Generation is the descriptor's: a step decided under another is not performed.
	Generation uint64
	// Replicas are in the order in which they were made.
	Replicas []Replica
	// Leader is the node of the leader. Where nobody is known to lead it is 0, and nothing is done.
	Leader uint64
	Bytes  int64
	// Changing tells that a change of its replicas is under way: nothing is done until that is through.
	Changing bool
}

// Wish is an operator's: the replica of a partition on one node shall be on another.
type Wish struct{ Partition, From, To uint64 }

// Facts are all that a plan is made of.
type Facts struct {
	Nodes      []Node
	Partitions []Partition
	Wishes     []Wish
}

// Rules are what the layout shall be like, and how much may be under way towards it.
type Rules struct {
	// Replicas is how many each partition shall have. Even numbers survive no more losses than one fewer.
	Replicas int
	// SuspectAfter is the silence after which a node is given nothing and relied on for nothing, DeadAfter the one after
	// which its replicas are made anew elsewhere. As long is a replica waited for that is damaged: somebody may want to look at it.
	SuspectAfter, DeadAfter time.Duration
	// MovesMax bounds the learners under way, MovesPerNodeMax those that one node sends or takes in.
	MovesMax, MovesPerNodeMax int
	// TransfersMax bounds the leaderships handed over by one plan, TransfersPerNodeMax those that one node gives or gets.
	TransfersMax, TransfersPerNodeMax int
	// BandPercent is how far a node may be from the average before anything is moved for the sake of evenness, HeatBandPercent how far
	// by its heat, which goes up and down by itself.
	BandPercent, HeatBandPercent int
	// FullPercent is how full a disk may become by large partitions that are placed on it.
	FullPercent int
}

// DefaultRules are those of a cluster whose operator asked for nothing else.
func DefaultRules() Rules {
	return Rules{
		Replicas: 3, SuspectAfter: 5 * time.Second, DeadAfter: 5 * time.Minute,
		MovesMax: 64, MovesPerNodeMax: 2, TransfersMax: 64, TransfersPerNodeMax: 8,
		BandPercent: 5, HeatBandPercent: 25, FullPercent: 90,
	}
}

// catalogReplicasMax is how many copies the catalog has where there are nodes enough.
const catalogReplicasMax = 5

// replicas is how many replicas a partition shall have at most.
func (r Rules) replicas(partition uint64) int {
	if partition == CatalogPartition && r.Replicas >= 3 {
		return max(r.Replicas, catalogReplicasMax)
	}
	return r.Replicas
}
