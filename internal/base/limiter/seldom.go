package limiter

import (
	"sync"
	"time"
)

// seldomEvery is how often a trouble that comes again and again is told of: ten times a second it would hide all others, and what
// comes from other nodes could fill the disk.
const seldomEvery = time.Minute

// Seldom is one such trouble. A zero one is ready for use.
type Seldom struct {
	mu sync.Mutex // guards what follows
	// next is from when on it may be told of again, on a clock that does not jump, untold how often it came since it was.
	next   time.Duration
	untold int
}

// May tells whether the trouble may be told of now, and how often it came since it was.
func (s *Seldom) May(now time.Duration) (told bool, untold int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now < s.next {
		s.untold++
		return false, 0
	}
	untold = s.untold
	s.next, s.untold = now+seldomEvery, 0
	return true, untold
}
