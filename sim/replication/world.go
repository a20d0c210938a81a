package replication

import (
	"stator/sim/hardware"
	"stator/sim/history"
	"stator/sim/rows"
)

// world is everything there is: nodes, what connects them, clients, and one time that all of it passes in.
type world struct {
	hardware.Site
	seed   uint64
	habits habits

	nodes  []*node
	layout layout

	history  history.History
	glimpses glimpses
	batches  batches
	sums     rows.Sums
	homes    homes
	tags     int64
	// clients are those that have not ended.
	clients int

	result Result
}
