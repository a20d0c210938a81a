package node

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// seldomEvery is how often a trouble that comes again and again is told of: ten times a second it would hide all others, and what
// comes from other nodes could fill the disk.
const seldomEvery = time.Minute

// seldom is one such trouble. A zero one is ready for use. It is not kept by node or partition: who sends what is no message may give
// itself any number.
type seldom struct {
	mu sync.Mutex // guards what follows
	// next is from when on it may be told of again, on the steady clock, untold how often it came since it was.
	next   time.Duration
	untold int
}

// may tells whether the trouble may be told of now, and how often it came since it was.
func (s *seldom) may(now time.Duration) (told bool, untold int) {
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

// complain logs a trouble, unless that was done lately.
func (n *Node) complain(s *seldom, level slog.Level, text string, args ...any) {
	if told, untold := s.may(n.steady()); told {
		n.options.Log.Log(context.Background(), level, text, append(args, "untold_before", untold)...)
	}
}
