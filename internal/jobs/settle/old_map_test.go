package settle_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/cluster/txn"
	"stator/internal/node/nodetest"
	"stator/internal/partition/machine"
)

// A node whose map is older than a table settles transactions that took part in it. What became of one it learns from its
// record, if that is the one in the new table too, and a record is not forgotten while a lock in the new table may ask for it.
func TestTablesThatTheMapDoesNotHave(t *testing.T) {
	for name, c := range map[string]struct {
		tables []string // of the items, the record's first
		after  time.Duration
	}{
		"the record's":      {[]string{"others", "things"}, 11 * time.Second},
		"a participant's":   {[]string{"things", "others"}, (machine.TokenMillis + 1000) * time.Millisecond},
		"several, in turns": {[]string{"others", "things", "others", "things"}, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			old, err := catalog.Open(t.Context(), catalog.Options{Store: r.System(), Wait: r.Wait, Changed: func() {}})
			if err != nil {
				t.Fatal(err)
			}
			others := nodetest.Things()
			others.Name = "others"
			r.Create(others, 1)
			q := txn.Request{Token: "token", Hash: [16]byte{1}}
			for i, name := range c.tables {
				q.Actions = append(q.Actions, r.Put(name, "collection", string(rune('a'+i))))
			}
			r.die("apply", 1, q)
			pause := func(context.Context, time.Duration) error { return nil }
			r.job.Catalog, r.job.Transactions = old, txn.New(txn.Options{
				Router: router.New(router.Options{Map: old, Host: r, Wait: r.Wait, Pause: pause}), NowMillis: r.now,
				Random: rand.NewChaCha8([32]byte{99}), Pause: pause,
			})
			r.after(c.after)
			r.Rest()
			if there := len(r.Check("things")) + len(r.Check("others")); there != len(c.tables) {
				t.Errorf("%d items of %d that were committed", there, len(c.tables))
			}
			if lost := r.Must(r.Catalog().Partitions(r.Entry("others").Table.ID)[0].ID).State().Applied.Locks; lost+r.locks() != 0 {
				t.Errorf("%d locks are left", lost+r.locks())
			}
		})
	}
}
