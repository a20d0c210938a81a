package node

import (
	"context"
	"slices"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// How long a read waits for a global index to be fed, how often it looks, and how many changes the index may lack for that: with more it is
// not a moment away.
const (
	fedMax        = 250 * time.Millisecond
	fedPause      = time.Millisecond / 2
	fedChangesMax = 256
)

// unfedUpTo is a partition of a table whose indexes lack changes, and the last of these.
type unfedUpTo struct {
	replica  *replica.Replica
	sequence uint64
}

func (u unfedUpTo) fed() bool {
	state := u.replica.State()
	return state.Unfed() == 0 || state.Cursor(command.IndexConsumer) >= u.sequence
}

// awaitFed has a read of a global index see what was written to its table before, for a moment and while it lacks little. DynamoDB does not
// promise that, but its clients take longer to ask than its indexes to follow, and DynamoDB Local's never lag: programs and tests rely on
// it. Only a node that is alone knows all partitions of a table.
func (n *Node) awaitFed(ctx context.Context, tableID uint64) {
	if n.cluster != nil || n.feeds.empty() {
		return
	}
	entry, ok := n.catalog.EntryByTable(tableID)
	if !ok || entry.Table.ID == tableID {
		return
	}
	var behind []unfedUpTo
	var changes uint64
	for _, p := range entry.Partitions[entry.Table.ID] {
		r, ok := n.host.Replica(p.ID)
		if !ok {
			continue
		}
		if state := r.State(); state.Unfed() > 0 {
			behind = append(behind, unfedUpTo{r, state.Applied.Sequence})
			changes += state.Unfed()
		}
	}
	if changes > fedChangesMax {
		return
	}
	for waited := time.Duration(0); waited < fedMax; waited += fedPause {
		behind = slices.DeleteFunc(behind, unfedUpTo.fed)
		if len(behind) == 0 || n.options.Pause(ctx, fedPause) != nil {
			return
		}
	}
}
