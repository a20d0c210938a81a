package node_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/base/clock"
	"stator/internal/cluster/txn"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

const convertedItems = 40

// unfinished is a store that a node kept alone and left in the midst of everything: tables with a stream and items that will
// expire, a transaction that is prepared and one that is committed and not applied, an index that is being filled.
func unfinished(t *testing.T) *vfs.MemFS {
	t.Helper()
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	things, others := streamed(), nodetest.Things("color")
	things.TimeToLive, others.Name = "ends", "others"
	n.Create(things, 4)
	n.Create(others, 2)
	n.FillTable("things", convertedItems, "color")
	n.FillTable("others", convertedItems, "color")
	for i := range 5 {
		put := n.Put("things", "ends", fmt.Sprint(i))
		put.Item = put.Item.With("ends", attr.Int(4_000_000_000+int64(i)))
		n.Write(put)
	}
	died := errors.New("the coordinator died")
	for i, step := range []string{"commit", "apply"} {
		coordinator := txn.New(txn.Options{
			Router: n.Router(), NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }, Random: rand.NewChaCha8([32]byte{byte(i)}),
			Pause: func(context.Context, time.Duration) error { n.Turn(); return nil },
			Failpoint: func(at string) error {
				if at == step {
					return died
				}
				return nil
			},
		})
		request := txn.Request{Token: step, Hash: [16]byte{1}}
		for j := range 6 {
			request.Actions = append(request.Actions, n.Put("things", fmt.Sprint(step, " ", j), "1"))
		}
		if _, err := coordinator.Write(t.Context(), request); !errors.Is(err, died) {
			t.Fatal(err)
		}
	}
	fillHalf(t, n)
	return copied(files)
}

// fillHalf begins an index and ends when one partition's items are in it.
func fillHalf(t *testing.T, n *nodetest.Node) {
	t.Helper()
	_, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next, ix := now.Clone(), nodetest.Index("color")
		ix.Added = true
		next.Global = append(next.Global, ix)
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	entry := n.Entry("things")
	filled := func() (partitions int) {
		for _, p := range entry.Partitions[entry.Table.ID] {
			if n.Must(p.ID).State().Backfills[entry.Table.Global[0].ID].Done {
				partitions++
			}
		}
		return partitions
	}
	ctx, cancel := context.WithCancel(t.Context())
	n.Turned = func() {
		if filled() > 0 {
			cancel()
		}
	}
	_ = n.Fill(ctx) // it ends where it is told to
	if n.Turned = nil; filled() == 0 || filled() == len(entry.Partitions[entry.Table.ID]) {
		t.Fatalf("%d of the partitions are filled", filled())
	}
}

// copied is a file system as it is, synced.
func copied(files *vfs.MemFS) *vfs.MemFS {
	return files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
}

// kept is what a store holds of all tables but the catalog: every row, and the state of each partition as it is once it is
// converted.
func kept(t *testing.T, e *engine.Engine) map[string]string {
	t.Helper()
	held := map[string]string{}
	for space, skip := range map[keys.Space]uint64{
		keys.SpaceData: machine.CatalogTable, keys.SpaceLocalIndex: machine.CatalogTable, keys.SpaceLock: machine.CatalogTable,
		keys.SpaceSize: machine.CatalogTable, keys.SpaceTransaction: machine.CatalogTable,
		keys.SpaceLog: machine.CatalogPartition, keys.SpaceExpiry: machine.CatalogPartition,
	} {
		it, err := e.Iter([]byte{byte(space)}, []byte{byte(space) + 1})
		if err != nil {
			t.Fatal(err)
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.Value()
			if err != nil {
				t.Fatal(err)
			}
			if binary.BigEndian.Uint64(it.Key()[1:]) != skip {
				held[string(it.Key())] = string(value)
			}
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range partitions(t, e) {
		state, _, err := machine.Load(e, id)
		if err != nil {
			t.Fatal(err)
		}
		if hosted(t, e, id) {
			state.Descriptor.Generation--
		}
		state.Descriptor.Members = []command.Member{{Replica: 1, Node: 1}}
		state.Descriptor.NextReplica = 2
		state.Applied.Epoch, state.Applied.Chain = machine.SoloEpoch, 0
		for _, w := range state.Writes() {
			held[string(w.Key)] = string(w.Value)
		}
	}
	return held
}

// partitions are those in a store, but for the catalog's.
func partitions(t *testing.T, e *engine.Engine) []uint64 {
	t.Helper()
	ids, err := replica.Stored(e)
	if err != nil || len(ids) == 0 || ids[0] != machine.CatalogPartition {
		t.Fatal(ids, err)
	}
	return ids[1:]
}

func hosted(t *testing.T, e *engine.Engine, id uint64) bool {
	t.Helper()
	is, err := multiraft.Hosted(e, id)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// A store that becomes one of a cluster is opened again after a crash at any sync of that. Each start goes on where the last
// one was; all that the store held is there, and what was under way comes to its end.
func TestConversionCrashesAtEverySync(t *testing.T) {
	left := unfinished(t)
	alone, err := engine.Open(engine.Options{Dir: "store", FS: copied(left), ReserveBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	want, all := kept(t, alone), len(partitions(t, alone))
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards pictures
	var pictures []*vfs.MemFS
	files := copied(left)
	watched := errorfs.Wrap(files, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			mu.Lock()
			defer mu.Unlock()
			pictures = append(pictures, files.CrashClone(vfs.CrashCloneCfg{}), copied(files))
		}
		return nil
	}))
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	m := f.assemble(watched)
	f.recover(m)
	mu.Lock()
	taken := pictures
	mu.Unlock()
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
	seen := map[int]bool{}
	for at, picture := range taken {
		converted := 0
		became(t, picture, want, func(e *engine.Engine) {
			for _, id := range partitions(t, e) {
				if hosted(t, e, id) {
					converted++
				}
			}
		})
		if t.Failed() {
			t.Fatalf("crash %d, which left %d partitions converted", at, converted)
		}
		seen[converted] = true
	}
	for n := range all + 1 {
		if !seen[n] {
			t.Errorf("no crash left %d partitions converted, but %v", n, seen)
		}
	}
}

// became starts a store as the node of a cluster, and holds what it has to what it had.
func became(t *testing.T, files engine.FS, want map[string]string, found func(*engine.Engine)) {
	t.Helper()
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	m := f.assemble(files)
	found(m.Engine())
	f.recover(m)
	got := kept(t, m.Engine())
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s was %x and is %x", keys.Describe([]byte(key)), value, got[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows became %d", len(want), len(got))
	}
	for _, id := range partitions(t, m.Engine()) {
		if !hosted(t, m.Engine(), id) {
			t.Errorf("partition %d is not converted", id)
		}
	}
	f.settled(m)
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
}

// settled brings what was under way to its end: no lock is left, and the index shows what it should.
func (f *convoy) settled(m *member) {
	f.t.Helper()
	f.clock.Advance(time.Hour) // coordinators that say nothing for so long are dead
	for range 3 {
		for _, step := range []func(context.Context) error{m.Follow, m.Meet, m.Control, m.SettleTransactions, m.Fill} {
			if err := step(f.t.Context()); err != nil {
				f.t.Fatal(err)
			}
		}
		for m.Feed(f.t.Context()) {
			continue
		}
	}
	entry, _ := m.Catalog().Entry("things")
	ix := entry.Table.Global[0]
	if ix.Status != table.IndexActive {
		f.t.Errorf("the index is %v", ix.Status)
	}
	counts := map[uint64]int64{}
	for _, id := range []uint64{entry.Table.ID, ix.ID} {
		for _, p := range entry.Partitions[id] {
			r, _ := m.Replica(p.ID)
			counts[id] += r.State().Applied.Stats.Items
			if locks := r.State().Applied.Locks; locks != 0 {
				f.t.Errorf("partition %d keeps %d locks", p.ID, locks)
			}
		}
	}
	// One of the transactions was committed; three of four items have the key of the index.
	if counts[entry.Table.ID] != convertedItems+5+6 || counts[ix.ID] != convertedItems*3/4 {
		f.t.Errorf("the table has %d items, its index %d", counts[entry.Table.ID], counts[ix.ID])
	}
}
