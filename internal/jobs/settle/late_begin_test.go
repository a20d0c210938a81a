package settle_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/partition/command"
)

// lateBegin is a router on which the first part of a transaction comes to its partition after all others, and later than
// what happens meanwhile.
type lateBegin struct {
	*router.Router
	first     command.Bounds // of the partition that keeps the record
	meanwhile func()
}

func (l *lateBegin) Spread(ctx context.Context, s router.Spread) []router.Share {
	meanwhile := l.meanwhile
	if meanwhile == nil {
		return l.Router.Spread(ctx, s)
	}
	l.meanwhile = nil
	others, late := s, s
	for i := range s.Keys {
		to := &others
		if l.first.Holds(s.Keys[i].Suffix) {
			to = &late
		}
		to.At = append(to.At, i)
	}
	shares := l.Router.Spread(ctx, others)
	meanwhile()
	return append(shares, l.Router.Spread(ctx, late)...)
}

// An attempt whose locks were taken back does not begin any more, however late its beginning comes, and whatever other
// attempts at the same request have come to meanwhile: it would commit without them.
func TestLateBeginning(t *testing.T) {
	for name, meanwhile := range map[string]func(r *rig){
		"another attempt took its locks back and died": func(r *rig) { r.die("begin", 2, r.request(6)) },
		"another attempt died, then it was settled": func(r *rig) {
			r.die("prepare", 1, r.request(6))
			r.after(11 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			first := catalog.Holding(r.Catalog().Partitions(r.Entry("things").Table.ID), r.request(1).Actions[0].Key).Bounds
			late := txn.New(txn.Options{
				Router: &lateBegin{Router: r.Router(), first: first, meanwhile: func() { meanwhile(r) }}, NowMillis: r.now,
				Random: rand.NewChaCha8([32]byte{99}), Pause: func(context.Context, time.Duration) error { return errors.New("no time") },
			})
			outcome, err := late.Write(t.Context(), r.request(6))
			r.Rest()
			r.after(11 * time.Second)
			if n := len(r.Check("things")); n != 0 && n != 6 || n == 0 && err == nil && outcome.Refusal == command.Accepted {
				t.Errorf("%+v, %v: %d items of 6", outcome, err, n)
			}
			r.want("afterwards", 0, len(r.Check("things")))
		})
	}
}
