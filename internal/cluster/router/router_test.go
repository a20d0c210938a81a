package router_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// rig is a router over a node, with a map that may be older than the catalog's.
type rig struct {
	node   *nodetest.Node
	router *router.Router
	table  *table.Table
	mu     sync.Mutex // held where partitions are read side by side
	// frozen, if set, is the map, which lacks no half of a split once entered; paused is called at every pause, which are counted.
	frozen  map[uint64][]catalog.Partition
	entered bool
	paused  func()
	pauses  int
	// looks are how often the map was asked for what splits bring.
	looks       int
	unreachable error // what those who ask are told instead
	waited      time.Duration
}

func (r *rig) Sequence() uint64 { return 0 }

func (r *rig) Partitions(id uint64) []catalog.Partition {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen != nil {
		return r.frozen[id]
	}
	return r.node.Catalog().Partitions(id)
}

func (r *rig) Splitting(context.Context, uint64) (bool, error) {
	r.looks++
	return r.frozen != nil && !r.entered, r.unreachable
}

func (r *rig) pause(_ context.Context, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pauses++
	r.waited += d
	if r.paused != nil {
		r.paused()
	}
	return nil
}

func newRig(t testing.TB, partitions, fanOut int) *rig {
	t.Helper()
	r := &rig{node: nodetest.Open(t, nil)}
	r.table = r.node.Create(&table.Table{Name: "things", State: table.Creating,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}, Range: []table.KeyAttribute{{Name: "sk", Type: attr.N}}},
	}, partitions)
	r.router = router.New(router.Options{Map: r, Host: r.node, Wait: r.node.Wait, Pause: r.pause, FanOut: fanOut})
	return r
}

// freeze keeps the map as it is now; the first pause brings it up to date.
func (r *rig) freeze() {
	r.frozen = map[uint64][]catalog.Partition{r.table.ID: slices.Clone(r.node.Catalog().Partitions(r.table.ID))}
	r.paused = func() { r.frozen = nil }
}

func (r *rig) split(t *testing.T, at []byte) {
	t.Helper()
	if _, err := r.node.Split(t.Context(), "things", r.table.ID, at); err != nil {
		t.Fatal(err)
	}
}

func suffix(pk string, sk int64) []byte {
	return keys.Suffix([]attr.Value{attr.String(pk)}, []attr.Value{attr.Int(sk)})
}

func (r *rig) put(pk string, sk int64) *command.Command {
	item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(pk)}, {Name: "sk", Value: attr.Int(sk)}})
	return &command.Command{Action: command.Put, Table: r.table.ID, TableVersion: r.table.Version, Key: suffix(pk, sk), Item: item}
}

func (r *rig) get(pk string, sk int64) command.Get {
	return command.Get{Table: r.table.ID, TableVersion: r.table.Version, Key: suffix(pk, sk)}
}

// A request that an old map sends to the wrong partition finds the right one once the map is newer.
func TestStaleRoute(t *testing.T) {
	r := newRig(t, 1, 0)
	r.node.Write(r.put("a", 1))
	r.freeze()
	r.split(t, suffix("a", 1)[:keys.TokenBytes])
	if result, err := r.router.Write(t.Context(), r.put("a", 1)); err != nil || r.pauses != 1 || len(result.Before) == 0 {
		t.Errorf("write: %+v after %d pauses, %v", result, r.pauses, err)
	}
	r.freeze()
	r.frozen[r.table.ID] = catalog.EvenPartitions(1, r.frozen[r.table.ID][0].ID)
	if result, err := r.router.Read(t.Context(), r.get("a", 1)); err != nil || r.pauses != 2 || len(result.Item) == 0 {
		t.Errorf("read: %+v after %d pauses, %v", result, r.pauses, err)
	}
	r.freeze()
	r.frozen[r.table.ID] = catalog.EvenPartitions(1, r.frozen[r.table.ID][0].ID)
	plan := command.Plan{Table: r.table.ID, TableVersion: r.table.Version, Lower: suffix("a", 0)}
	if page, err := r.router.Scan(t.Context(), plan); err != nil || r.pauses != 3 || len(page.Items) != 1 {
		t.Errorf("scan: %+v after %d pauses, %v", page, r.pauses, err)
	}
}

// A command planned with a newer table is tried again until the partition has adopted it; an older one is not the router's
// to mend.
func TestStaleTable(t *testing.T) {
	r := newRig(t, 1, 0)
	next := r.table.Clone()
	next.Version++
	partition := r.node.Must(r.node.Catalog().Partitions(r.table.ID)[0].ID)
	r.paused = func() {
		if r.pauses == 3 {
			partition.Adopt(next, func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
			for r.node.Turn() {
				continue
			}
		}
	}
	old := *r.table
	r.table = next
	if _, err := r.router.Write(t.Context(), r.put("a", 1)); err != nil || r.pauses != 3 {
		t.Errorf("a newer plan: %d pauses, %v", r.pauses, err)
	}
	r.table = &old
	for name, try := range map[string]func() error{
		"write": func() error { _, err := r.router.Write(t.Context(), r.put("a", 1)); return err },
		"read":  func() error { _, err := r.router.Read(t.Context(), r.get("a", 1)); return err },
		"scan": func() error {
			_, err := r.router.Scan(t.Context(), command.Plan{Table: old.ID, TableVersion: old.Version})
			return err
		},
	} {
		var stale *command.StaleTable
		if err := try(); !errors.As(err, &stale) || stale.Have != next.Version || r.pauses != 3 {
			t.Errorf("%s with an older plan: %d pauses, %v", name, r.pauses-3, err)
		}
	}
}

// What finds no partition to take it ends with the deadline; what belongs to no table ends at once.
func TestNobodyTakesIt(t *testing.T) {
	r := newRig(t, 1, 0)
	r.frozen = map[uint64][]catalog.Partition{r.table.ID: catalog.EvenPartitions(1, 9999)}
	var rejected *command.Rejected
	if _, err := r.router.Write(t.Context(), r.put("a", 1)); !errors.As(err, &rejected) || r.waited < 5*time.Second || r.waited > 20*time.Second {
		t.Errorf("no replica: %v after %v", err, r.waited)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.router = router.New(router.Options{Map: r, Host: r.node, Wait: r.node.Wait, Pause: func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}})
	if _, err := r.router.Read(ctx, r.get("a", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gives up: %v", err)
	}
	r.frozen, r.pauses = map[uint64][]catalog.Partition{}, 0
	if _, err := r.router.Write(t.Context(), r.put("a", 1)); !errors.Is(err, router.ErrNoTable) || r.pauses != 0 {
		t.Errorf("no table: %v after %d pauses", err, r.pauses)
	}
	if _, err := r.router.Scan(t.Context(), command.Plan{Table: r.table.ID, Reverse: true}); !errors.Is(err, router.ErrNoTable) {
		t.Errorf("scan of no table: %v", err)
	}
	if err := r.router.Feed(t.Context(), &command.Command{Table: r.table.ID, Entries: []command.Entry{{Key: suffix("a", 1)}}}); !errors.Is(err, router.ErrNoTable) {
		t.Errorf("feed of no table: %v", err)
	}
}

// What is ambiguous is never proposed again.
func TestAmbiguousIsNotTriedAgain(t *testing.T) {
	r := newRig(t, 1, 0)
	waits := 0
	r.router = router.New(router.Options{Map: r, Host: r.node, Pause: r.pause, Wait: func(context.Context, <-chan struct{}) error {
		waits++
		return context.DeadlineExceeded
	}})
	var ambiguous *command.Ambiguous
	if _, err := r.router.Write(t.Context(), r.put("a", 1)); !errors.As(err, &ambiguous) || waits != 1 || r.pauses != 0 {
		t.Errorf("%v after %d waits and %d pauses", err, waits, r.pauses)
	}
}

// A feed brings each entry to its partition, all for one partition in one command, and again if a partition moved.
func TestFeed(t *testing.T) {
	r := newRig(t, 4, 0)
	r.freeze()
	r.split(t, suffix("key 7", 0)[:keys.TokenBytes])
	c := &command.Command{Action: command.Feed, Table: r.table.ID, SentMillis: r.node.Clock.Now().UnixMilli()}
	for i := range 40 {
		item := r.put(fmt.Sprint("key ", i), 0)
		c.Entries = append(c.Entries, command.Entry{Key: item.Key, Version: 5, Item: item.Item})
	}
	if err := r.router.Feed(t.Context(), c); err != nil || r.pauses != 1 {
		t.Fatalf("%v after %d pauses", err, r.pauses)
	}
	chains, held := uint64(0), int64(0)
	for _, p := range r.node.Catalog().Partitions(r.table.ID) {
		state := r.node.Must(p.ID).State()
		held += state.Applied.Stats.Items
		chains += state.Applied.Chain
	}
	if held != 40 {
		t.Errorf("%d of 40 entries arrived", held)
	}
	before := chains
	c.Entries = append(c.Entries, command.Entry{Key: suffix("key 7", 0), Version: 9})
	if err := r.router.Feed(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	chains = 0
	for _, p := range r.node.Catalog().Partitions(r.table.ID) {
		chains += r.node.Must(p.ID).State().Applied.Chain
	}
	if chains != before+1 {
		t.Errorf("a feed with one new entry made %d batches", chains-before)
	}
	r.node.Clock.Advance(2 * time.Minute)
	var rejected *command.Rejected
	if err := r.router.Feed(t.Context(), c); !errors.As(err, &rejected) {
		t.Errorf("a feed that was sent too long ago: %v", err)
	}
}

// Only what certainly did not happen is tried again, whatever is wrapped in what.
func TestAgain(t *testing.T) {
	for _, step := range []struct {
		err  error
		want bool
	}{
		{&command.StaleRoute{}, true},
		{&command.NotLeader{}, true},
		{&command.Rejected{Cause: &command.NotLeader{}}, true},
		{&command.StaleTable{Have: 1}, true},
		{&command.StaleTable{Have: 3}, false},
		{&command.Rejected{Cause: &command.StaleTable{Have: 3}}, true},
		{&command.Ambiguous{Cause: &command.Rejected{}}, false},
		{&command.Ambiguous{Cause: &command.NotLeader{}}, false},
		{fmt.Errorf("writing: %w", &command.Ambiguous{}), false},
		{router.ErrNoTable, false},
		{nil, false},
	} {
		if got := router.Again(step.err, 2); got != step.want {
			t.Errorf("%v: tried again %t", step.err, got)
		}
	}
}
