package replica

import (
	"fmt"
	"hash/crc32"

	"stator/internal/partition/command"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// seen is what the engine held under a command's key when its caller looked: every batch up to landed was visible then,
// and in another term other copies may have written since. A failed look has no key, and is met again, and answered, by
// the decision. Of an item that is replaced unseen only the head is looked at.
type seen struct {
	key          []byte
	value        []byte
	found, head  bool
	landed, term uint64
}

// look reads the key of a command, if it has one.
func (r *Replica) look(c *command.Command) seen {
	if len(c.Key) == 0 {
		return seen{}
	}
	r.mu.Lock()
	s := r.glance(c)
	r.mu.Unlock()
	s.read(r.options.Engine, keys.Data(c.Table, c.Key))
	return s
}

// looks reads the keys of commands on items.
func (r *Replica) looks(commands []*command.Command) []seen {
	all := make([]seen, len(commands))
	r.mu.Lock()
	for i, c := range commands {
		all[i] = r.glance(c)
	}
	r.mu.Unlock()
	for i, c := range commands {
		all[i].read(r.options.Engine, keys.Data(c.Table, c.Key))
	}
	return all
}

// lookAll reads the keys of a transaction's part: its record's, if that is here, and its actions'.
func (r *Replica) lookAll(c *command.Command) []seen {
	t := c.Transaction
	if t == nil || len(t.Actions) == 0 {
		return nil
	}
	all := r.looks(t.Actions)
	if len(t.Record.Suffix) > 0 && c.Action != command.Prepare {
		record := seen{landed: all[0].landed, term: all[0].term}
		record.read(r.options.Engine, keys.Transaction(t.Record.Table, t.Record.Suffix))
		all = append(all, record)
	}
	return all
}

// glance is a look before anything was read: what was certain then, and whether a head is enough. The caller holds mu.
func (r *Replica) glance(c *command.Command) seen {
	return seen{head: !r.decided.NeedsBefore(c), landed: r.flight.settled(), term: r.term}
}

// read reads what the engine holds under a key.
func (s *seen) read(e *engine.Engine, key []byte) {
	read := e.Get
	if s.head {
		read = e.Head
	}
	var err error
	if s.value, s.found, err = read(key); err == nil {
		s.key = key
	}
}

// A head as the engine reads it must be enough for one of an item.
var _ [engine.HeadBytes - record.ItemHeadBytes]struct{}

// view is what one decision pass reads: the engine below the batches in flight.
type view struct {
	replica *Replica
	seen    map[string]seen
	busy    map[uint64][]command.Bounds
}

func newView(r *Replica, taken []pending) *view {
	v := &view{replica: r, seen: make(map[string]seen, len(taken)), busy: r.busy.now(r.options.Steady)}
	for _, p := range taken {
		v.add(p.seen)
		for _, s := range p.seenAll {
			v.add(s)
		}
	}
	return v
}

// add takes note of a look; one at a head only tells less than one at the whole.
func (v *view) add(s seen) {
	if other, looked := v.seen[string(s.key)]; s.key != nil && (!looked || other.head) {
		v.seen[string(s.key)] = s
	}
}

// Get returns the newest value under key that was ever decided here.
func (v *view) Get(key []byte) ([]byte, bool, error) {
	return v.newest(key, func(s seen) bool { return !s.head }, v.replica.options.Engine.Get)
}

// Head is Get for whoever needs an item's head only.
func (v *view) Head(key []byte) ([]byte, bool, error) {
	return v.newest(key, func(seen) bool { return true }, v.replica.options.Engine.Head)
}

// Busy are the parts of an index that cannot take more entries now.
func (v *view) Busy(index uint64) []command.Bounds { return v.busy[index] }

// newest finds the newest value in flight, else a lock among those that are known, else what was seen if that will do and no
// batch wrote it since, else reads.
func (v *view) newest(key []byte, will func(seen) bool, read func([]byte) ([]byte, bool, error)) ([]byte, bool, error) {
	r := v.replica
	known, looked := v.seen[string(key)]
	r.mu.Lock()
	flown, ok := r.flight.writes[string(key)]
	lock, certain := r.locks.find(key)
	current := looked && will(known) && known.term == r.term && r.flight.recent.newest(key) <= known.landed
	r.mu.Unlock()
	switch {
	case ok:
		return flown.value, flown.value != nil, nil
	case certain:
		return lock, lock != nil, nil
	case current:
		return known.value, known.found, nil
	}
	value, found, err := read(key)
	if err != nil {
		return nil, false, fmt.Errorf("reading what a command decides on: %w", err)
	}
	return value, found, nil
}

// settled is the newest batch of which it is certain that the engine shows it, with every earlier one.
func (f *flights) settled() uint64 {
	if len(f.under) > 0 {
		return f.under[0].number - 1
	}
	return f.newest
}

// recentSlots is the size of recent.
const recentSlots = 1 << 10

// recent remembers the newest batch that wrote a key, for many keys together in a slot: it may name a newer batch than
// the key's own, never an older one.
type recent [recentSlots]uint64

func (c *recent) wrote(key []byte, batch uint64) { c[crc32.ChecksumIEEE(key)%recentSlots] = batch }

func (c *recent) newest(key []byte) uint64 { return c[crc32.ChecksumIEEE(key)%recentSlots] }
