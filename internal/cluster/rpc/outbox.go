package rpc

import (
	"context"
	"slices"
	"sync"
	"time"
)

// outbox is what waits for a stream's writer. One writer takes; anybody puts.
type outbox struct {
	entriesMax, bytesMax int
	partBytes            int           // what a part has
	some                 chan struct{} // has one place: asks the writer to look

	mu      sync.Mutex // guards what follows
	room    sync.Cond  // told when the writer took, and when the box is shut
	open    bool
	urgent  []entry   // pings and pongs, which leave first
	waiting []entry   // in the order in which they were put
	parcels []*parcel // in the order of their turns
	begun   uint64    // the number of the last parcel
	// entries counts what waits and the parcels with what is behind them, small and large the bytes of it: each of the two
	// sorts has room of its own, for the other to pass through.
	entries, small, large int
}

func newOutbox(l limits) *outbox {
	o := &outbox{entriesMax: l.queueEntriesMax, bytesMax: l.queueBytesMax, partBytes: partBytesMax, some: make(chan struct{}, 1)}
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

// urge adds an entry even to a full box, in front of all others. It is for pings, which are few.
func (o *outbox) urge(e entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open {
		o.urgent = append(o.urgent, e)
		o.ask()
	}
}

// fits tells whether the box has room. A message alone may be larger than what may wait.
func (o *outbox) fits(e *entry) bool {
	held := *o.bytes(e)
	return o.entries < o.entriesMax && (held == 0 || held+e.bytesMax() <= o.bytesMax)
}

// bytes is the account on which an entry is.
func (o *outbox) bytes(e *entry) *int {
	if len(e.body) > wholeBytesMax {
		return &o.large
	}
	return &o.small
}

func (o *outbox) add(e entry) {
	o.waiting = append(o.waiting, e)
	o.entries++
	*o.bytes(&e) += e.bytesMax()
	o.ask()
}

// leaves takes an entry off the account.
func (o *outbox) leaves(e *entry) {
	o.entries--
	*o.bytes(e) -= e.bytesMax()
}

// ask has the writer look.
func (o *outbox) ask() {
	select {
	case o.some <- struct{}{}:
	default:
	}
}

// next takes what goes into the next frame, into the given slice's memory: pings, what is small, one part of what is
// larger than wholeBytes. It tells whether there is more. Calls that were withdrawn meanwhile stay behind.
func (o *outbox) next(frame []entry, wholeBytes int) (filled []entry, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frame = append(frame[:0], o.urgent...)
	o.urgent = o.urgent[:0]
	bytes, taken := 0, 0
	for ; taken < len(o.waiting); taken++ {
		e := &o.waiting[taken]
		if p := o.ahead(e.lane); p != nil {
			p.behind = append(p.behind, *e)
			continue
		}
		if len(e.body) > wholeBytes {
			o.begin(e)
			continue
		}
		if bytes > 0 && bytes+e.bytesMax() > frameBytesMax {
			break
		}
		bytes += e.bytesMax()
		o.leaves(e)
		if e.call == nil || e.call.claim() {
			frame = append(frame, *e)
		}
	}
	o.waiting = slices.Delete(o.waiting, 0, taken)
	if part, ok := o.nextPart(); ok {
		frame = append(frame, part)
	}
	o.room.Broadcast()
	return frame, o.entries > 0
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
	o.open, o.urgent, o.waiting, o.parcels = false, nil, nil, nil
	o.entries, o.small, o.large = 0, 0, 0
	o.room.Broadcast()
}

// sender is the writing half of a stream, of either side.
type sender interface{ SendMsg(m any) error }

// write sends what comes into the box until ctx ends or the stream breaks: everything that waits, in as few frames as it
// fits in. A unary call costs gRPC more than a whole request costs the database, so whatever gathers while one frame is
// on its way goes together.
func (o *outbox) write(ctx context.Context, to sender, wholeBytes int) error {
	var frame []entry
	for {
		var more bool
		frame, more = o.next(frame, wholeBytes)
		if err := send(to, frame); err != nil {
			return err
		}
		clear(frame) // bodies are let go
		if more {
			continue
		}
		select {
		case <-o.some:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// send writes entries as one frame.
func send(to sender, entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	bytes := 0
	for i := range entries {
		bytes += entries[i].bytesMax()
	}
	buffer := pool.Get(bytes)
	frame := (*buffer)[:0]
	now := time.Now()
	for i := range entries {
		e := &entries[i]
		e.timeoutMicros = timeout(e.deadline, now)
		frame = e.append(frame)
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
