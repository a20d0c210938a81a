package placement

import "fmt"

// Kind is what a step does.
type Kind byte

// The kinds of steps. Each is done by the partition's leader, and each may be done twice.
const (
	// Add makes a learner at To.
	Add Kind = iota + 1
	// Change makes voters of the learners at Promote and removes the replicas at Remove, in one change.
	Change
	// Discard removes the learner at From.
	Discard
	// Transfer hands the leadership from From over to To.
	Transfer
)

// Step is the next thing to do with one partition.
type Step struct {
	Kind       Kind
	Partition  uint64
	Generation uint64
	From, To   uint64
	Promote    []uint64
	Remove     []uint64
	// Why is for those who watch.
	Why Reason
}

// Reason is why a step is made.
type Reason string

// The reasons.
const (
	Repair   Reason = "its node is silent"
	Damage   Reason = "it is damaged"
	Drain    Reason = "its node is leaving"
	Grow     Reason = "more replicas are wanted"
	Shrink   Reason = "fewer replicas are wanted"
	Spread   Reason = "its zone has another"
	Balance  Reason = "its node has more than others"
	Cool     Reason = "its node serves more than others"
	Wished   Reason = "an operator asked for it"
	Unneeded Reason = "it is not needed any more"
)

func (s Step) String() string {
	p := s.Partition
	switch s.Kind {
	case Add:
		if s.From == 0 {
			return fmt.Sprintf("partition %d: a replica is added on node %d: %s", p, s.To, s.Why)
		}
		return fmt.Sprintf("partition %d: a replica is made on node %d for the one on node %d: %s", p, s.To, s.From, s.Why)
	case Change:
		switch {
		case len(s.Remove) == 0:
			return fmt.Sprintf("partition %d: the replicas on nodes %v begin to vote: %s", p, s.Promote, s.Why)
		case len(s.Promote) == 0:
			return fmt.Sprintf("partition %d: the replicas on nodes %v go: %s", p, s.Remove, s.Why)
		}
		return fmt.Sprintf("partition %d: the replicas on nodes %v vote instead of those on %v: %s", p, s.Promote, s.Remove, s.Why)
	case Discard:
		return fmt.Sprintf("partition %d: the new replica on node %d goes: %s", p, s.From, s.Why)
	case Transfer:
		return fmt.Sprintf("partition %d: node %d leads instead of node %d: %s", p, s.To, s.From, s.Why)
	}
	return fmt.Sprintf("partition %d: step of kind %d", p, s.Kind)
}

// Blocked is what a plan would do and cannot.
type Blocked struct {
	Partition uint64
	// Node is where the replica is that should be elsewhere; 0 if one is missing.
	Node uint64
	Why  Reason
}

func (b Blocked) String() string {
	if b.Node == 0 {
		return fmt.Sprintf("partition %d: no node can take one more replica (%s)", b.Partition, b.Why)
	}
	return fmt.Sprintf("partition %d: no node can take the replica of node %d (%s)", b.Partition, b.Node, b.Why)
}

// blockedMax bounds how much of what cannot be done a plan tells.
const blockedMax = 16

// Plan is the next steps, at most one a partition.
type Plan struct {
	Steps   []Step
	Blocked []Blocked
	// BlockedCount also counts what Blocked leaves out.
	BlockedCount int
	// Moves is how many learners are under way, with those of Steps.
	Moves int
}
