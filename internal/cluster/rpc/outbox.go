package rpc

import (
	"context"
	"sync"
	"time"
)

// outbox is what waits for a stream's writer. One writer takes; anybody puts.
type outbox struct {
	entriesMax, bytesMax int
	some                 chan struct{} // has one place: asks the writer to look

	mu      sync.Mutex // guards what follows
	room    sync.Cond  // told when the writer took, and when the box is shut
	open    bool
	waiting []entry
	bytes   int
}

func newOutbox(l limits) *outbox {
	o := &outbox{entriesMax: l.queueEntriesMax, bytesMax: l.queueBytesMax, some: make(chan struct{}, 1)}
	o.room.L = &o.mu
	return o
}

// put adds an entry unless the box is shut or full.
func (o *outbox) put(e entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		return ErrDown
	}
	if !o.fits(&e) {
		return ErrFull
	}
	o.add(e)
	return nil
}

// putWhenRoom adds an entry once there is room. It is false if the box was shut.
func (o *outbox) putWhenRoom(e entry) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.open && !o.fits(&e) {
		o.room.Wait()
	}
	if o.open {
		o.add(e)
	}
	return o.open
}

// urge adds an entry even to a full box. It is for pings, which are few.
func (o *outbox) urge(e entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open {
		o.add(e)
	}
}

// fits tells whether the box has room. An empty one always has: a message alone may be larger than what may wait.
func (o *outbox) fits(e *entry) bool {
	return len(o.waiting) == 0 || len(o.waiting) < o.entriesMax && o.bytes+e.bytesMax() <= o.bytesMax
}

func (o *outbox) add(e entry) {
	o.waiting = append(o.waiting, e)
	o.bytes += e.bytesMax()
	select {
	case o.some <- struct{}{}:
	default:
	}
}

// take empties the box, whose next content goes into the given slice's memory.
func (o *outbox) take(spare []entry) []entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.waiting
	o.waiting, o.bytes = spare[:0], 0
	o.room.Broadcast()
	return taken
}

// admit opens the box.
func (o *outbox) admit() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = true
}

// shut closes the box and forgets what is in it.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open, o.waiting, o.bytes = false, nil, 0
	o.room.Broadcast()
}

// sender is the writing half of a stream, of either side.
type sender interface{ SendMsg(m any) error }

// write sends what comes into the box until ctx ends or the stream breaks: everything that waits, in as few frames as it
// fits in. A unary call costs gRPC more than a whole request costs the database, so whatever gathers while one frame is
// on its way goes together.
func (o *outbox) write(ctx context.Context, to sender) error {
	var batch []entry
	for {
		select {
		case <-o.some:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		batch = o.take(batch)
		for rest := batch; len(rest) > 0; {
			count := gather(rest)
			if err := send(to, rest[:count]); err != nil {
				return err
			}
			rest = rest[count:]
		}
		clear(batch) // bodies are let go
	}
}

// gather counts the entries that go into the next frame.
func gather(entries []entry) int {
	bytes := 0
	for i := range entries {
		bytes += entries[i].bytesMax()
		if i > 0 && bytes > frameBytesMax {
			return i
		}
	}
	return len(entries)
}

// send writes entries as one frame. Calls that were withdrawn meanwhile stay behind.
func send(to sender, entries []entry) error {
	bytes := 0
	for i := range entries {
		bytes += entries[i].bytesMax()
	}
	buffer := pool.Get(bytes)
	frame := (*buffer)[:0]
	now := time.Now()
	for i := range entries {
		e := &entries[i]
		if e.call != nil {
			if !e.call.claim() {
				continue
			}
			e.timeoutMicros = timeout(e.deadline, now)
		}
		frame = e.append(frame)
	}
	if len(frame) == 0 {
		pool.Put(buffer)
		return nil
	}
	*buffer = frame
	return to.SendMsg(&packet{pooled: buffer})
}

// timeout is what is left until a deadline, at least a microsecond; 0 for none.
func timeout(deadline, now time.Time) uint64 {
	if deadline.IsZero() {
		return 0
	}
	return uint64(max(1, deadline.Sub(now).Microseconds()))
}
