package replica

import (
	"fmt"
	"hash/crc32"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// seen is what the engine held under a command's key when its caller looked: every batch up to landed was visible then,
// and in another term other copies may have written since. A failed look has no key, and is met again, and answered, by
// the decision.
type seen struct {
	key          []byte
	value        []byte
	found        bool
	landed, term uint64
}

// look reads the key of a command, if it has one.
func (r *Replica) look(c *command.Command) seen {
	if len(c.Key) == 0 {
		return seen{}
	}
	r.mu.Lock()
	landed, term := r.flight.settled(), r.term
	r.mu.Unlock()
	key := keys.Data(c.Table, c.Key)
	value, found, err := r.options.Engine.Get(key)
	if err != nil {
		return seen{}
	}
	return seen{key: key, value: value, found: found, landed: landed, term: term}
}

// view is what one decision pass reads: the engine below the batches in flight.
type view struct {
	replica *Replica
	seen    map[string]seen
}

func newView(r *Replica, taken []pending) *view {
	v := &view{replica: r, seen: make(map[string]seen, len(taken))}
	for _, p := range taken {
		if p.seen.key != nil {
			v.seen[string(p.seen.key)] = p.seen
		}
	}
	return v
}

// Get returns the newest value under key that was ever decided here.
func (v *view) Get(key []byte) ([]byte, bool, error) {
	r := v.replica
	known, looked := v.seen[string(key)]
	r.mu.Lock()
	flown, ok := r.flight.writes[string(key)]
	current := looked && known.term == r.term && r.flight.recent.newest(key) <= known.landed
	r.mu.Unlock()
	switch {
	case ok:
		return flown.value, flown.value != nil, nil
	case current:
		return known.value, known.found, nil
	}
	value, found, err := r.options.Engine.Get(key)
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
