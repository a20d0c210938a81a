package attr

import "sync"

const (
	// roomBytesMax is what a room holds: a page of twenty items of 1 KB, or of many small ones. Of a page of a megabyte the beginning
	// lies in it, and the rest is garbage that costs little beside the work of making it.
	roomBytesMax = 32 << 10
	// roomMapsMax is for how many maps it has a list.
	roomMapsMax = 32
)

// Room is memory for the maps of one answer, which are no garbage after it. It has one owner at a time, who passes it on with the
// maps; the last one releases it when the answer is written. Whoever gives up may forget it: then it is garbage.
//
// Invariant: no map that lies in a room, nor a part of one, is looked at after Release.
type Room struct {
	maps  []Map
	bytes []byte
}

var rooms = sync.Pool{New: func() any {
	return &Room{maps: make([]Map, 0, roomMapsMax), bytes: make([]byte, 0, roomBytesMax)}
}}

// NewRoom returns an empty room.
func NewRoom() *Room { return rooms.Get().(*Room) }

// List is an empty list to append the answer's maps to. A nil room has none.
func (r *Room) List() []Map {
	if r == nil {
		return nil
	}
	return r.maps[:0]
}

// Clone gives a copy that shares no bytes with m. It lies in the room if it fits into what is left of it, and by itself in a nil one.
func (r *Room) Clone(m Map) Map {
	if r == nil || len(m) > cap(r.bytes)-len(r.bytes) {
		return m.Clone()
	}
	from := len(r.bytes)
	r.bytes = append(r.bytes, m...)
	return Map(r.bytes[from:len(r.bytes):len(r.bytes)])
}

// Rest is what is left of the room, empty, for whoever fills it with one value of his own. Nothing is cloned into the room after it.
// A nil room has none.
func (r *Room) Rest() []byte {
	if r == nil {
		return nil
	}
	return r.bytes[len(r.bytes):]
}

// Release gives the room to the next answer. A nil room has nothing to give.
func (r *Room) Release() {
	if r == nil {
		return
	}
	clear(r.maps[:cap(r.maps)]) // those that lie elsewhere must not live on with it
	r.bytes = r.bytes[:0]
	rooms.Put(r)
}
