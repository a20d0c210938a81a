package insight

import (
	"sync"

	"stator/internal/model/capacity"
)

// Served is what a copy of a partition served in the minutes up to Last: each in its place modulo Minutes.
type Served struct {
	Partition uint64                           `json:"partition"`
	Last      int64                            `json:"last"` // since the epoch
	Units     [Minutes][capacity.Kinds]float64 `json:"units"`
}

// At is what it served in a minute; nothing where that is not remembered.
func (s *Served) At(minute int64) [capacity.Kinds]float64 {
	if minute > s.Last || minute <= s.Last-Minutes {
		return [capacity.Kinds]float64{}
	}
	return s.Units[slot(minute)]
}

func slot(minute int64) int64 { return (minute%Minutes + Minutes) % Minutes }

// add counts units of a minute, unless it is no longer remembered.
func (s *Served) add(minute int64, units [capacity.Kinds]float64) {
	for s.Last = max(s.Last, minute-Minutes); s.Last < minute; {
		s.Last++
		s.Units[slot(s.Last)] = [capacity.Kinds]float64{}
	}
	if minute <= s.Last-Minutes {
		return
	}
	for kind := range capacity.Kinds {
		s.Units[slot(minute)][kind] += units[kind]
	}
}

// hotter makes s, minute by minute, what the hotter of two copies served: each has a bound of its own.
func (s *Served) hotter(other *Served) {
	hotter := Served{Partition: s.Partition, Last: max(s.Last, other.Last)}
	for minute := hotter.Last - Minutes + 1; minute <= hotter.Last; minute++ {
		a, b := s.At(minute), other.At(minute)
		for kind := range capacity.Kinds {
			hotter.Units[slot(minute)][kind] = max(a[kind], b[kind])
		}
	}
	*s = hotter
}

// Heat is what the copies of partitions here served in the last hour, by the minute.
type Heat struct {
	mu     sync.Mutex // guards copies
	copies map[uint64]*Served
}

// Add counts what a copy served in a minute.
func (h *Heat) Add(partition uint64, minute int64, units [capacity.Kinds]float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	copied, ok := h.copies[partition]
	if !ok {
		if h.copies == nil {
			h.copies = map[uint64]*Served{}
		}
		copied = &Served{Partition: partition}
		h.copies[partition] = copied
	}
	copied.add(minute, units)
}

// Forget lets go of copies that served nothing since a minute.
func (h *Heat) Forget(minute int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, copied := range h.copies {
		if copied.Last < minute {
			delete(h.copies, id)
		}
	}
}

// Of is what copies of some partitions served.
func (h *Heat) Of(partitions []uint64) (served []Served) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range partitions {
		if copied, ok := h.copies[id]; ok {
			served = append(served, *copied)
		}
	}
	return served
}

// Hotter adds to what copies served what others of the same partitions did: of each partition the hotter one counts.
func Hotter(served, others []Served) []Served {
	places := map[uint64]int{}
	for i := range served {
		places[served[i].Partition] = i
	}
	for i := range others {
		if at, ok := places[others[i].Partition]; ok {
			served[at].hotter(&others[i])
		} else {
			served = append(served, others[i])
		}
	}
	return served
}
