package insight

import (
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// Ring is how hot the partitions of a table and its global indexes were, in the order of the ring.
type Ring struct {
	Table    string `json:"table"`
	Capacity string `json:"capacity"`
	// Until is the minute under way, the last of those told.
	Until  time.Time `json:"until"`
	Spaces []Space   `json:"spaces"`
	// Missing are the nodes that did not answer.
	Missing []Missing `json:"missing,omitempty"`
}

// Space is the table's own ring, or that of an index.
type Space struct {
	Index      string `json:"index,omitempty"` // "": the table itself
	Partitions []Warm `json:"partitions"`
}

// Warm is one partition.
type Warm struct {
	Partition uint64 `json:"partition"`
	From      string `json:"from,omitempty"` // its lower bound on the ring, empty at the beginning
	// Reads and Writes are what its hottest copy served minute by minute, as a share of its bound, the minute under way last.
	Reads  []float64 `json:"reads"`
	Writes []float64 `json:"writes"`
}

// RingOf lays out what partitions served along the ring.
func RingOf(e *catalog.Entry, capacityMode string, now time.Time, served []Served) Ring {
	r := Ring{Table: e.Table.Name, Capacity: capacityMode, Until: now.Truncate(time.Minute), Spaces: []Space{}}
	by := map[uint64]*Served{}
	for i := range served {
		by[served[i].Partition] = &served[i]
	}
	add := func(tableID uint64, index string) {
		space := Space{Index: index, Partitions: []Warm{}}
		for _, p := range e.Partitions[tableID] {
			of := by[p.ID]
			if of == nil {
				of = &Served{}
			}
			w := Warm{Partition: p.ID, From: onRing(p.Bounds.Lower)}
			w.Reads, w.Writes = of.share(capacity.Reads, now), of.share(capacity.Writes, now)
			space.Partitions = append(space.Partitions, w)
		}
		r.Spaces = append(r.Spaces, space)
	}
	add(e.Table.ID, "")
	for i := range e.Table.Global {
		if ix := &e.Table.Global[i]; ix.Status != table.IndexDeleting {
			add(ix.ID, ix.Name)
		}
	}
	return r
}

// share is what was served in each of the last minutes, of what the bound lets through; of the minute under way so far.
func (s *Served) share(kind capacity.Kind, now time.Time) []float64 {
	last := now.Unix() / 60
	shares := make([]float64, Minutes)
	for i := range shares {
		minute := last - Minutes + 1 + int64(i)
		seconds := 60.0
		if minute == last {
			seconds = max(1, now.Sub(now.Truncate(time.Minute)).Seconds())
		}
		shares[i] = s.At(minute)[kind] / seconds / capacity.PartitionBounds[kind].PerSecond
	}
	return shares
}
