// Package capacity is the physics of throughput: the units that reads and writes consume, the bounds they meet, and what is saved up under
// them. It does not know what time it is, or who counts.
package capacity

// Bytes of one unit (semantics §3.1).
const (
	ReadUnitBytes  = 4096
	WriteUnitBytes = 1024
)

// Read is the units of reading bytes, rounded up once: of one item, or of every item that a page of a query or scan evaluated. Reading
// nothing costs one unit, and a read that is not consistent half (semantics §3.2–3.4).
func Read(bytes int64, consistent bool) float64 {
	return weigh(units(bytes, ReadUnitBytes), consistent)
}

// Fetched is the units of reading items each rounded up on its own: the whole items that a walk of a local index brings from the table.
// rounded is the sum of their rounded units; none costs nothing (semantics §3.4).
func Fetched(rounded int64, consistent bool) float64 {
	return weigh(float64(rounded), consistent)
}

// Write is the units of replacing an item of one size in bytes by one of another, 0 where there is none: the larger one counts, at least
// one unit (semantics §3.5).
func Write(before, after int) float64 {
	return units(int64(max(before, after)), WriteUnitBytes)
}

// units rounds up; one is the least.
func units(bytes, unit int64) float64 {
	return float64(max(1, (bytes+unit-1)/unit))
}

func weigh(units float64, consistent bool) float64 {
	if consistent {
		return units
	}
	return units / 2
}
