package router_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// feeding is a Spread of so many entries, which notes the places that each command was made for.
func (r *rig) feeding(n int) (router.Spread, *[][]int) {
	s, made := router.Spread{}, [][]int(nil)
	for i := range n {
		s.Keys = append(s.Keys, router.Key{Table: r.table.ID, TableVersion: r.table.Version, Suffix: suffix(fmt.Sprint("key ", i), 0)})
	}
	s.Make = func(at []int) (*command.Command, error) {
		made = append(made, slices.Clone(at))
		c := &command.Command{Action: command.Feed, Table: r.table.ID, SentMillis: r.node.Clock.Now().UnixMilli()}
		for _, i := range at {
			item := r.put(fmt.Sprint("key ", i), 0)
			c.Entries = append(c.Entries, command.Entry{Key: item.Key, Version: 5, Item: item.Item})
		}
		return c, nil
	}
	return s, &made
}

// reached are the places of shares without an error, in order.
func reached(shares []router.Share) (at []int) {
	for _, s := range shares {
		if s.Err == nil {
			at = append(at, s.At...)
		}
	}
	slices.Sort(at)
	return at
}

// Each partition is sent one command about its keys, all of them or those that are named.
func TestSpread(t *testing.T) {
	r := newRig(t, 4, 0)
	s, made := r.feeding(40)
	shares := r.router.Spread(t.Context(), s)
	if len(shares) != 4 || len(*made) != 4 || len(reached(shares)) != 40 {
		t.Errorf("%d shares of %d commands reached %d keys", len(shares), len(*made), len(reached(shares)))
	}
	for _, share := range shares {
		if !slices.IsSorted(share.At) {
			t.Errorf("places out of order: %v", share.At)
		}
	}
	s.At = []int{3, 17, 22}
	if at := reached(r.router.Spread(t.Context(), s)); !slices.Equal(at, s.At) {
		t.Errorf("asked for %v, reached %v", s.At, at)
	}
}

// A Spread of no keys, as of a transaction that has nothing left to apply, asks nobody and waits for nobody.
func TestSpreadOfNothing(t *testing.T) {
	r := newRig(t, 4, 0)
	s, made := r.feeding(0)
	if shares := r.router.Spread(t.Context(), s); len(shares) != 0 || len(*made) != 0 {
		t.Errorf("%d shares of %d commands", len(shares), len(*made))
	}
	if replies := r.router.WriteAll(t.Context(), nil); len(replies) != 0 {
		t.Errorf("%d replies to no commands", len(replies))
	}
}

// Only what a split partition refused is made again, for the partitions that there are now.
func TestSpreadAfterSplit(t *testing.T) {
	for _, serial := range []bool{false, true} {
		r := newRig(t, 4, 0)
		s, made := r.feeding(40)
		s.Serial = serial
		r.freeze()
		r.split(t, suffix("key 7", 0)[:keys.TokenBytes])
		shares := r.router.Spread(t.Context(), s)
		if len(reached(shares)) != 40 || r.pauses != 1 || len(*made) != 6 || len(shares) != 5 {
			t.Errorf("serial %t: %d shares of %d commands reached %d keys after %d pauses", serial, len(shares), len(*made), len(reached(shares)), r.pauses)
		}
	}
}

// What Make fails with is the answer for its keys, and the others' is their own.
func TestSpreadMakes(t *testing.T) {
	for _, serial := range []bool{false, true} {
		r := newRig(t, 4, 0)
		s, _ := r.feeding(40)
		s.Serial = serial
		made, broken, makes := s.Make, errors.New("broken"), 0
		s.Make = func(at []int) (*command.Command, error) {
			if makes++; makes == 2 {
				return nil, broken
			}
			return made(at)
		}
		failed := 0
		for _, share := range r.router.Spread(t.Context(), s) {
			if errors.Is(share.Err, broken) {
				failed++
			} else if share.Err != nil {
				t.Errorf("serial %t: %v", serial, share.Err)
			}
		}
		if failed != 1 {
			t.Errorf("serial %t: %d shares failed, want 1", serial, failed)
		}
	}
}

// Serial: a command is made only when the one before it is answered.
func TestSpreadSerially(t *testing.T) {
	r := newRig(t, 4, 0)
	s, _ := r.feeding(40)
	s.Serial = true
	made, before := s.Make, r.chains()
	s.Make = func(at []int) (*command.Command, error) {
		if r.chains() != before {
			t.Errorf("%d batches before the command, want %d", r.chains(), before)
		}
		before++
		return made(at)
	}
	r.router.Spread(t.Context(), s)
}

// What is ambiguous is not sent again. An answer that comes after the wait was given up finds nobody.
func TestSpreadAmbiguous(t *testing.T) {
	r := newRig(t, 4, 0)
	s, made := r.feeding(40)
	impatient := router.New(router.Options{Map: r, Host: r.node, Pause: r.pause, Wait: func(context.Context, <-chan struct{}) error {
		return context.DeadlineExceeded
	}})
	shares := impatient.Spread(t.Context(), s)
	var ambiguous *command.Ambiguous
	for _, share := range shares {
		if !errors.As(share.Err, &ambiguous) {
			t.Errorf("%v", share.Err)
		}
	}
	if len(shares) != 4 || len(*made) != 4 || r.pauses != 0 {
		t.Errorf("%d shares of %d commands after %d pauses", len(shares), len(*made), r.pauses)
	}
	r.node.Rest()
}

// Whoever is not let wait for another try is told what certainly did not happen.
func TestSpreadGivesUp(t *testing.T) {
	r := newRig(t, 4, 0)
	s, _ := r.feeding(40)
	r.freeze()
	r.split(t, suffix("key 7", 0)[:keys.TokenBytes])
	hasty := router.New(router.Options{Map: r, Host: r.node, Wait: r.node.Wait, Pause: func(context.Context, time.Duration) error {
		return context.Canceled
	}})
	shares := hasty.Spread(t.Context(), s)
	last := shares[len(shares)-1]
	var rejected *command.Rejected
	if !errors.As(last.Err, &rejected) || !errors.Is(last.Err, context.Canceled) || len(reached(shares))+len(last.At) != 40 {
		t.Errorf("reached %d, then %v for %d keys", len(reached(shares)), last.Err, len(last.At))
	}
	r.frozen[r.table.ID][0].ID = 9999
	if shares = r.router.Spread(t.Context(), s); len(reached(shares)) != 40 {
		t.Errorf("with a replica that is there again %d keys were reached", len(reached(shares)))
	}
}

// A key of a table that is gone has its own answer.
func TestSpreadOfNoTable(t *testing.T) {
	r := newRig(t, 2, 0)
	s, _ := r.feeding(10)
	s.Keys[4].Table = 9999
	shares := r.router.Spread(t.Context(), s)
	if len(reached(shares)) != 9 || !slices.ContainsFunc(shares, func(s router.Share) bool {
		return errors.Is(s.Err, router.ErrNoTable) && slices.Equal(s.At, []int{4})
	}) {
		t.Errorf("%+v", shares)
	}
}

// late is a map that has no table before it is asked.
type late struct {
	*rig
	asked bool
}

func (l *late) Partitions(id uint64) []catalog.Partition {
	if !l.asked {
		return nil
	}
	return l.rig.Partitions(id)
}

func (l *late) Splitting(context.Context, uint64) (bool, error) {
	l.looks++
	l.asked = l.unreachable == nil
	return false, l.unreachable
}

// A table that the map does not have is gone only once the catalog has been asked: who settles a transaction whose record is
// in a new table would else take it for aborted.
func TestSpreadToNewTable(t *testing.T) {
	r := newRig(t, 4, 0)
	s, _ := r.feeding(40)
	s.Keys = append(s.Keys, router.Key{Table: r.table.ID + 1000, Suffix: suffix("key", 0)})
	m := &late{rig: r}
	of := router.New(router.Options{Map: m, Host: r.node, Wait: r.node.Wait, Pause: r.pause})
	shares := of.Spread(t.Context(), s)
	if at := reached(shares); len(at) != 40 || r.looks != 1 {
		t.Errorf("reached %d keys, having asked %d times", len(at), r.looks)
	}
	for _, share := range shares {
		if share.Err != nil && (!errors.Is(share.Err, router.ErrNoTable) || share.At[0] != 40) {
			t.Errorf("%v: %v", share.At, share.Err)
		}
	}
	m.asked, r.unreachable = false, errors.New("out of reach")
	for _, share := range of.Spread(t.Context(), s) {
		if errors.Is(share.Err, router.ErrNoTable) || !errors.Is(share.Err, r.unreachable) {
			t.Errorf("nobody could be asked, and %v is answered with %v", share.At, share.Err)
		}
	}
}
