package replica

import (
	"maps"
	"sync"
	"time"

	"stator/internal/partition/command"
)

// busyFor is how long it counts that a part of an index had no room: it is asked again long before.
const busyFor = time.Second

// busy are the parts of global indexes that had no room for entries when this partition's changes were last brought to them. What would bring
// them more is refused here until then, or an index could be asked for any number of writes while its table has units.
type busy struct {
	mu    sync.Mutex // guards parts
	parts map[uint64]busyParts
}

type busyParts struct {
	of    []command.Bounds
	until time.Duration
}

// Busy takes note of the parts of a global index, by its id, that cannot take more entries now; none where it took all.
func (r *Replica) Busy(index uint64, parts []command.Bounds) {
	if r.options.Steady == nil {
		return // nobody is throttled here
	}
	b := &r.busy
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(parts) == 0:
		delete(b.parts, index)
		return
	case b.parts == nil:
		b.parts = map[uint64]busyParts{}
	}
	b.parts[index] = busyParts{of: parts, until: r.options.Steady() + busyFor}
}

// now are the parts that are busy now, by index; nil is none.
func (b *busy) now(steady func() time.Duration) map[uint64][]command.Bounds {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.parts) == 0 {
		return nil
	}
	now := steady()
	maps.DeleteFunc(b.parts, func(_ uint64, p busyParts) bool { return p.until < now })
	parts := make(map[uint64][]command.Bounds, len(b.parts))
	for index, p := range b.parts {
		parts[index] = p.of
	}
	return parts
}
