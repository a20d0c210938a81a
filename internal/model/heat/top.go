package heat

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"time"
)

// HalfLife is the time after which what came counts half.
const HalfLife = time.Minute

const (
	// topKeysMax is how many keys a Top counts. With one more, it forgets the rarer half of them.
	topKeysMax = 1024
	// weightMax is how much more than the oldest something new may weigh before all is brought down to new weights.
	weightMax = 1 << 32
	// weighedFor is how long a weight is good for: to work one out takes longer than all the rest of counting.
	weighedFor = 100 * time.Millisecond
)

// Key is a key with its part of the traffic: at most PerSecond units in a second, and at least Error less.
type Key struct {
	Bytes            []byte
	PerSecond, Error float64
}

// Top counts the keys that most units are for. The zero value has counted nothing, and takes next to no memory.
//
// It is the space-saving algorithm (Metwally, Agrawal, El Abbadi 2005), with room made for many keys at once: a heap that always knows the
// rarest costs every count what this costs only new keys. To count less for what is older, the newer weighs more.
//
// Invariant: a key that is not among the slots had at most floor.
type Top struct {
	slots []slot
	// index finds slots by the hash of their keys: positions, the first being 1, as open addresses.
	index []uint16
	floor float64
	total float64

	began  time.Duration // when it began to count
	zero   time.Duration // when the weight was 1
	weight float64       // of what comes now; 0 before anything came
	until  time.Duration // when that is worked out anew
}

// slot is a key that is counted. What it had before it got the slot is within error.
type slot struct {
	hash         uint64
	key          []byte
	units, error float64
}

// Add counts units for a key, of which the first keyBytesMax bytes count.
func (t *Top) Add(key []byte, units float64, now time.Duration) {
	key = key[:min(len(key), keyBytesMax)]
	if now >= t.until || t.weight == 0 {
		t.weigh(now)
	}
	units *= t.weight
	t.total += units
	hash := hashOf(key)
	if i, found := t.find(hash, key); found {
		t.slots[i].units += units
		return
	}
	if len(t.slots) == topKeysMax {
		t.forget()
	}
	t.enter(hash, key, units)
}

// weigh works out what units weigh now.
func (t *Top) weigh(now time.Duration) {
	if t.weight == 0 {
		t.began, t.zero = now, now
	}
	t.until = now + weighedFor
	t.weight = weightAfter(now - t.zero)
	if t.weight < weightMax {
		return
	}
	for i := range t.slots {
		t.slots[i].units /= t.weight
		t.slots[i].error /= t.weight
	}
	t.floor /= t.weight
	t.total /= t.weight
	t.zero, t.weight = now, 1
}

func weightAfter(d time.Duration) float64 { return math.Exp2(max(0, float64(d)/float64(HalfLife))) }

// find returns a key's slot.
func (t *Top) find(hash uint64, key []byte) (slot int, found bool) {
	mask := len(t.index) - 1
	for at := int(hash) & mask; mask > 0; at = (at + 1) & mask {
		i := int(t.index[at]) - 1
		if i < 0 {
			break
		}
		if t.slots[i].hash == hash && bytes.Equal(t.slots[i].key, key) {
			return i, true
		}
	}
	return 0, false
}

// enter gives a key a slot. It may have had up to the floor before.
func (t *Top) enter(hash uint64, key []byte, units float64) {
	n := len(t.slots)
	if n < cap(t.slots) {
		t.slots = t.slots[:n+1] // with the bytes of a key that was forgotten
	} else {
		t.slots = append(t.slots, slot{})
	}
	s := &t.slots[n]
	s.hash, s.key, s.units, s.error = hash, append(s.key[:0], key...), t.floor+units, t.floor
	if 2*len(t.slots) > len(t.index) {
		t.reindex(4 * len(t.slots))
		return
	}
	t.point(n)
}

// point makes a slot found.
func (t *Top) point(slot int) {
	mask := len(t.index) - 1
	at := int(t.slots[slot].hash) & mask
	for t.index[at] != 0 {
		at = (at + 1) & mask
	}
	t.index[at] = uint16(slot + 1)
}

// reindex makes all slots found, in an index of at least so many places.
func (t *Top) reindex(places int) {
	if places > len(t.index) {
		t.index = make([]uint16, 1<<bits.Len(uint(places-1)))
	} else {
		clear(t.index)
	}
	for i := range t.slots {
		t.point(i)
	}
}

// judgedMax is how many slots tell how many units half of all have at most.
const judgedMax = 31

// forget makes room: about half of the slots go, those with the fewest units.
func (t *Top) forget() {
	var some [judgedMax]float64
	for i := range some {
		some[i] = t.slots[i*len(t.slots)/judgedMax].units
	}
	slices.Sort(some[:])
	limit := some[judgedMax/2]
	kept, goes := 0, len(t.slots)/2
	for i := range t.slots {
		if t.slots[i].units <= limit && goes > 0 {
			goes--
			continue
		}
		t.slots[kept], t.slots[i] = t.slots[i], t.slots[kept]
		kept++
	}
	t.slots = t.slots[:kept]
	t.floor = limit
	t.reindex(0)
}

// hashOf mixes a key, eight bytes at a time. Keys that are made to collide cost time and no more: the keys themselves are compared.
func hashOf(key []byte) uint64 {
	hash := uint64(len(key))
	for ; len(key) >= 8; key = key[8:] {
		hash = mix(hash^binary.LittleEndian.Uint64(key), odd)
	}
	rest := uint64(0)
	for i, b := range key {
		rest |= uint64(b) << (8 * i)
	}
	return mix(hash^rest, odd)
}

// odd is the golden ratio's 64 bits, which go with no pattern of the keys.
const odd = 0x9e3779b97f4a7c15

func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// perSecond turns weighed units into those that come in a second.
func (t *Top) perSecond(now time.Duration) float64 {
	if t.weight == 0 {
		return 0
	}
	// All units ever, each weighing what its age leaves, are those of HalfLife/ln 2, or of the part of it since the beginning.
	since := max(now-t.began, time.Second)
	seconds := HalfLife.Seconds() / math.Ln2 * (1 - 1/weightAfter(since))
	return 1 / (weightAfter(now-t.zero) * seconds)
}

// PerSecond is the units that come in a second, for whichever keys.
func (t *Top) PerSecond(now time.Duration) float64 { return t.total * t.perSecond(now) }

// Keys lists the keys that most units come for, at most so many, the first one first.
func (t *Top) Keys(most int, now time.Duration) []Key {
	order := make([]*slot, len(t.slots))
	for i := range order {
		order[i] = &t.slots[i]
	}
	slices.SortFunc(order, func(a, b *slot) int {
		return cmp.Or(cmp.Compare(b.units, a.units), bytes.Compare(a.key, b.key))
	})
	factor := t.perSecond(now)
	keys := make([]Key, 0, min(most, len(order)))
	for _, s := range order[:min(most, len(order))] {
		keys = append(keys, Key{Bytes: slices.Clone(s.key), PerSecond: s.units * factor, Error: s.error * factor})
	}
	return keys
}
