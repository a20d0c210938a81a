package replication

import (
	"stator/sim/history"
	"stator/sim/network"
	"stator/sim/rows"
	"stator/sim/timeline"
)

// world is everything there is: nodes, what connects them, clients, and one time that all of it passes in.
type world struct {
	*timeline.Timeline
	seed   uint64
	habits habits

	nodes   []*node
	network *network.Network
	layout  layout

	history  history.History
	glimpses glimpses
	batches  batches
	sums     rows.Sums
	homes    homes
	tags     int64
	// clients are those that have not ended; calm tells all to come to an end, and trouble to stop.
	clients int
	calm    bool

	result Result
}
