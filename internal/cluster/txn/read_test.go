package txn_test

import (
	"slices"
	"testing"

	"stator/internal/partition/command"
)

func versions(all ...uint64) (seen []command.Seen) {
	for _, v := range all {
		seen = append(seen, command.Seen{Version: v})
	}
	return seen
}

// Items are as they were together once two rounds agree and nothing is locked in the second; where one partition read all of
// them, one round is enough.
func TestRead(t *testing.T) {
	locked := versions(1, 2)
	locked[1].Holder = command.TransactionID{1}
	deleted := versions(1, 0)
	deleted[1].LastDelete = 7
	for name, c := range map[string]struct {
		rounds []round
		want   uint64 // the version of the second item
		moving []bool
		pauses int
	}{
		"one partition":            {[]round{{versions(1, 2), true}, {versions(9, 9), true}}, 2, nil, 0},
		"two rounds":               {[]round{{versions(1, 2), false}, {versions(1, 2), false}, {versions(9, 9), false}}, 2, nil, 0},
		"one moved":                {[]round{{versions(1, 2), false}, {versions(1, 3), false}}, 3, nil, 1},
		"locked for a while":       {[]round{{locked, false}, {locked, false}, {versions(1, 2), false}}, 2, nil, 1},
		"locked in one partition":  {[]round{{locked, true}, {versions(1, 2), true}}, 2, nil, 0},
		"locked for ever":          {[]round{{locked, false}}, 0, []bool{false, true}, 3},
		"something absent deleted": {[]round{{versions(1, 0), false}, {deleted, false}}, 0, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{rounds: c.rounds}
			seen, moving, err := s.coordinator(nil).Read(t.Context(), make([]command.Get, 2))
			if err != nil || !slices.Equal(moving, c.moving) || s.pauses != c.pauses {
				t.Fatalf("moving %v, %v after %d pauses", moving, err, s.pauses)
			}
			if moving == nil && seen[1].Version != c.want {
				t.Errorf("saw version %d, want %d", seen[1].Version, c.want)
			}
		})
	}
}
