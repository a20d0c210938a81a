package multiraft

import (
	"errors"
	"sync"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Bounds of what may wait for a group's worker.
const (
	inboxMessagesMax = 4096
	inboxBytesMax    = 64 << 20
	// inboxReadersMax is how many strong reads may wait for a round to begin, here and at the worker.
	inboxReadersMax = 16384
	// inboxRequestsMax is how much a node may wait to ask of a group when it has a hint besides.
	inboxRequestsMax = 256
)

var (
	errStopped = errors.New("this replica has stopped")
	errFull    = errors.New("too much waits for this replica")
)

// inbox is what others left for a group until its worker comes.
type inbox struct {
	group *Group

	mu     sync.Mutex
	queued bool // in the worker's list
	closed bool
	letter
	bytes int
}

// letter is what is taken out of an inbox at once.
type letter struct {
	messages  []Message
	proposals []proposal
	readers   []func(error)
	requests  []func()
	// unserved tells that requests have met a copy that cannot serve them: see Group.Wake.
	unserved bool
}

// proposal is a batch on its way to the other replicas.
type proposal struct {
	batch machine.Batch
	done  func(replica.Outcome)
}

func (i *inbox) message(m Message) {
	i.put(func() bool {
		if len(i.messages) >= inboxMessagesMax || i.bytes+len(m.Body) > inboxBytesMax {
			return false
		}
		i.messages = append(i.messages, m)
		i.bytes += len(m.Body)
		return true
	})
}

// request needs no bound: a group starts and stops once, and a snapshot under way is reported of once.
func (i *inbox) request(f func()) {
	i.put(func() bool { i.requests = append(i.requests, f); return true })
}

// hint is a request that may be lost: who asks looks again, or others do.
func (i *inbox) hint(f func()) {
	i.put(func() bool {
		if len(i.requests) >= inboxRequestsMax {
			return false
		}
		i.requests = append(i.requests, f)
		return true
	})
}

// propose needs no bound: a copy has a few batches under way at most.
func (i *inbox) propose(p proposal) {
	if !i.put(func() bool { i.proposals = append(i.proposals, p); return true }) {
		p.done(replica.Rejected)
	}
}

func (i *inbox) read(done func(error)) {
	taken := i.put(func() bool {
		if len(i.readers) >= inboxReadersMax {
			return false
		}
		i.readers = append(i.readers, done)
		return true
	})
	if !taken {
		done(&command.Rejected{Cause: errFull})
	}
}

// put adds something if add finds room for it, and asks for the worker.
func (i *inbox) put(add func() bool) bool {
	i.mu.Lock()
	if i.closed || !add() {
		i.mu.Unlock()
		return false
	}
	first := !i.queued
	i.queued = true
	i.mu.Unlock()
	if first {
		i.group.worker.ask(i.group)
	}
	return true
}

// take empties the inbox.
func (i *inbox) take() letter {
	i.mu.Lock()
	defer i.mu.Unlock()
	taken := i.letter
	i.letter, i.bytes, i.queued = letter{}, 0, false
	return taken
}

// close empties the inbox for good.
func (i *inbox) close() letter {
	i.mu.Lock()
	defer i.mu.Unlock()
	taken := i.letter
	i.letter, i.closed = letter{}, true
	return taken
}
