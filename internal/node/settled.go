package node

import "sync/atomic"

// settled counts the transactions that were ended, partition by partition, because their coordinators had not.
type settled struct{ committed, aborted atomic.Int64 }

func (s *settled) add(committed bool) {
	if committed {
		s.committed.Add(1)
	} else {
		s.aborted.Add(1)
	}
}

// Settled is how many transactions this process has ended in a partition, since it began, because their coordinators had
// died or could not get through.
func (n *Node) Settled() (committed, aborted int64) {
	return n.settled.committed.Load(), n.settled.aborted.Load()
}
