package txn

import (
	"context"
	"time"

	"stator/internal/partition/command"
)

const (
	// roundsMax is how often the items of a transaction are read before it is given up.
	roundsMax = 5
	// roundPause is the wait after a round that found something moving, and one more for each round.
	roundPause = time.Millisecond
)

// Read reads items as they were together at one moment. It locks nothing: what two rounds found alike, with no lock on it
// in the second, was so between them. An item of which a transaction has applied its part stands beside one of which it
// has not only while the latter is locked.
//
// moving tells, when no two rounds agreed, which items were under way.
func (c *Coordinator) Read(ctx context.Context, gets []command.Get) (seen []command.Seen, moving []bool, err error) {
	var before []command.Seen
	for round := range roundsMax {
		if round > 1 {
			if err := c.options.Pause(ctx, time.Duration(round-1)*roundPause); err != nil {
				return nil, nil, err
			}
		}
		now, whole, err := c.options.Router.Together(ctx, gets)
		if err != nil {
			return nil, nil, err
		}
		if whole {
			// One partition read all of them at one moment.
			before = now
		}
		if before != nil {
			if moving = moved(before, now); moving == nil {
				return now, nil, nil
			}
		}
		before = now
	}
	return nil, moving, nil
}

// moved tells which items are locked, or not as they were; nil is none.
func moved(before, now []command.Seen) []bool {
	var moving []bool
	for i := range now {
		still := now[i].Version == before[i].Version && now[i].LastDelete == before[i].LastDelete &&
			now[i].Holder == command.TransactionID{}
		if still {
			continue
		}
		if moving == nil {
			moving = make([]bool, len(now))
		}
		moving[i] = true
	}
	return moving
}
