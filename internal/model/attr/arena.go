package attr

import "sync"

const (
	// arenaBytesMax is what an arena holds: a page of twenty items of 1 KB, or of many small ones. Of a page of a megabyte the beginning
	// lies in it, and the rest is garbage that costs little beside the work of making it.
	arenaBytesMax = 32 << 10
	// arenaMapsMax is for how many maps it has a list.
	arenaMapsMax = 32
)

// Arena is memory for the maps of one answer, which are no garbage after it. It has one owner at a time, who passes it on with the
// maps; the last one releases it when the answer is written. Whoever gives up may forget it: then it is garbage.
//
// Invariant: no map that lies in an arena, nor a part of one, is looked at after Release.
type Arena struct {
	maps  []Map
	bytes []byte
}

var arenas = sync.Pool{New: func() any {
	return &Arena{maps: make([]Map, 0, arenaMapsMax), bytes: make([]byte, 0, arenaBytesMax)}
}}

// NewArena returns an empty arena.
func NewArena() *Arena { return arenas.Get().(*Arena) }

// List is an empty list to append the answer's maps to. A nil arena has none.
func (a *Arena) List() []Map {
	if a == nil {
		return nil
	}
	return a.maps[:0]
}

// Clone gives a copy that shares no bytes with m. It lies in the arena if it fits into what is left of it, and by itself in a nil one.
func (a *Arena) Clone(m Map) Map {
	if a == nil || len(m) > cap(a.bytes)-len(a.bytes) {
		return m.Clone()
	}
	from := len(a.bytes)
	a.bytes = append(a.bytes, m...)
	return Map(a.bytes[from:len(a.bytes):len(a.bytes)])
}

// Rest is what is left of the arena, empty, for whoever fills it with one value of his own. Nothing is cloned into the arena after it.
// A nil arena has none.
func (a *Arena) Rest() []byte {
	if a == nil {
		return nil
	}
	return a.bytes[len(a.bytes):]
}

// Release gives the arena to the next answer. A nil arena has nothing to give.
func (a *Arena) Release() {
	if a == nil {
		return
	}
	clear(a.maps[:cap(a.maps)]) // those that lie elsewhere must not live on with it
	a.bytes = a.bytes[:0]
	arenas.Put(a)
}
