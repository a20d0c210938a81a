// Package session is what a client has seen of partitions: it goes from an answer to the next request in a header. It does
// not know where copies are.
package session

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// partitionsMax is how many partitions a session remembers. With one more, all reads of its next requests are strong.
const partitionsMax = 32

// Session is what a client saw up to now, in this request too. Nil is a client that does not ask for one: it saw nothing, and
// nothing is noted.
type Session struct {
	cluster uint64

	mu     sync.Mutex // guards what follows
	strong bool
	// known is the last change of the catalog that a router knew of when it had brought the client to a partition.
	known uint64
	seen  []place // by partition
}

// place is where a copy of a partition stood when it answered: the index of the last raft log entry it had performed.
type place struct{ partition, index uint64 }

// Strong tells whether only strong reads are known to show what the client saw.
func (s *Session) Strong() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strong
}

// Known is the change of the catalog that a router has to know of: with an older map it might look for what the client saw
// in the partition that held it before a split.
func (s *Session) Known() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// Knew notes the last change of the catalog in a map by which a partition was found.
func (s *Session) Knew(change uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = max(s.known, change)
}

// Index is how far a copy must have come to answer the client: 0 for any. A partition that was split off since the client
// saw its parent is such a one, as its copies are born with all that the parent held.
func (s *Session) Index(partition uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, known := s.find(partition); known {
		return s.seen[at].index
	}
	return 0
}

// Saw notes that a copy of a partition answered, and where it stood. A copy that nobody can be behind stands nowhere.
func (s *Session) Saw(partition, index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.find(partition)
	switch {
	case index == 0:
	case known:
		s.seen[at].index = max(s.seen[at].index, index)
	case len(s.seen) == partitionsMax:
		s.strong = true // what this request saw before still holds its other reads
	default:
		s.seen = slices.Insert(s.seen, at, place{partition, index})
	}
}

func (s *Session) find(partition uint64) (at int, known bool) {
	return slices.BinarySearchFunc(s.seen, partition, func(p place, id uint64) int { return cmp.Compare(p.partition, id) })
}

type key struct{}

// With is a context of a request of a session.
func With(ctx context.Context, s *Session) context.Context { return context.WithValue(ctx, key{}, s) }

// Of is the session that a request is of, nil for none.
func Of(ctx context.Context) *Session {
	s, _ := ctx.Value(key{}).(*Session)
	return s
}
