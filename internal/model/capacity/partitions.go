package capacity

import "stator/internal/model/table"

// PartitionsMax bounds the partitions that throughput brings: it may be asked for by the billion, and a table that really meets such load is
// split for its heat.
const PartitionsMax = 256

// PartitionsOf is how many partitions it takes to serve what is warm from the first second on, if it is asked for evenly.
func PartitionsOf(warm table.Warm) int {
	needed := int64(1)
	for kind, bound := range PartitionBounds {
		units, each := pick(Kind(kind), warm.Read, warm.Write), int64(bound.PerSecond)
		needed = max(needed, (units+each-1)/each)
	}
	return int(min(needed, PartitionsMax))
}
