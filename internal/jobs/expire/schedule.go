package expire

import (
	"container/heap"
	"math"
	"sync"

	"stator/internal/partition/replica"
)

// Schedule knows for each partition of this node the moment at which there is something to do, so that nobody asks a
// partition before. A partition that waits for nothing has no place in it.
type Schedule struct {
	mu     sync.Mutex
	places map[uint64]*place
	first  places
}

// place is one partition's: no entry of its index lies before from, and at is the second at which it is looked at.
type place struct {
	partition uint64
	from      replica.Due
	at        uint64
	heapIndex int
}

// never is the second of no entry.
const never = math.MaxUint64

// NewSchedule returns an empty one.
func NewSchedule() *Schedule { return &Schedule{places: map[uint64]*place{}} }

// Add tells that a partition has an entry at a second. Second 0 has it looked at from the beginning.
func (s *Schedule) Add(partition, second uint64) {
	s.put(place{partition: partition, from: replica.Due{Second: second}, at: second})
}

// put gives a partition the earlier of two moments and of two beginnings: the one it has and the one of p.
func (s *Schedule) put(p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	has, ok := s.places[p.partition]
	if !ok {
		has = &p
		s.places[p.partition] = has
		heap.Push(&s.first, has)
		return
	}
	if before(p.from, has.from) {
		has.from = p.from
	}
	if p.at < has.at {
		has.at = p.at
		heap.Fix(&s.first, has.heapIndex)
	}
}

// take removes the partition that is due first, if one is at a second.
func (s *Schedule) take(now uint64) (place, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.first) == 0 || s.first[0].at > now {
		return place{}, false
	}
	p := heap.Pop(&s.first).(*place)
	delete(s.places, p.partition)
	return *p, true
}

// due tells whether take would find one.
func (s *Schedule) due(now uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.first) > 0 && s.first[0].at <= now
}

func before(a, b replica.Due) bool {
	return a.Second < b.Second || a.Second == b.Second && string(a.Key) < string(b.Key)
}

// places is a heap by the moment.
type places []*place

func (h places) Len() int           { return len(h) }
func (h places) Less(i, j int) bool { return h[i].at < h[j].at }

func (h places) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is the heap's own.
func (h *places) Push(x any) {
	p := x.(*place)
	p.heapIndex = len(*h)
	*h = append(*h, p)
}

// Pop is the heap's own.
func (h *places) Pop() any {
	old := *h
	p := old[len(old)-1]
	*h = old[:len(old)-1]
	return p
}
