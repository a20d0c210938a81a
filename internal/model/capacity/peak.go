package capacity

import (
	"math"
	"time"

	"stator/internal/model/table"
)

// PeakAge is how old a peak has to be to count as the previous one: whoever asks for more than twice of it sooner is throttled.
const PeakAge = 30 * time.Minute

// Grown is the warm throughput of an on-demand table or index once a minute is PeakAge old in which it consumed some units: at least twice
// of that. It only grows, so that it is the memory of the highest peak there was.
func Grown(warm table.Warm, consumed [Kinds]float64) table.Warm {
	twice := func(kind Kind) int64 { return int64(math.Ceil(2 * consumed[kind] / time.Minute.Seconds())) }
	return warm.Raised(table.Warm{Read: twice(Reads), Write: twice(Writes)})
}
