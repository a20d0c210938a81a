package propagate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/jobs/propagate"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/record"
)

func item(pairs ...string) attr.Map {
	entries := []attr.Entry{{Name: "pk", Value: attr.String("a")}, {Name: "sk", Value: attr.String("1")}}
	for i := 0; i+1 < len(pairs); i += 2 {
		entries = append(entries, attr.Entry{Name: pairs[i], Value: attr.String(pairs[i+1])})
	}
	return attr.NewMap(entries)
}

// One change does to an index what it shows of the item: at most one key goes and one comes.
func TestEntries(t *testing.T) {
	base := nodetest.Things("color")
	narrow := base.Clone()
	narrow.Global[0].Projection = table.Projection{Kind: table.Include, NonKey: []string{"note"}}
	wrong := item().With("color", attr.Int(1))
	for _, c := range []struct {
		name          string
		table         *table.Table
		before, after attr.Map
		want          []string
	}{
		{"comes", base, nil, item("color", "red"), []string{"red: shown"}},
		{"comes without the key", base, nil, item(), nil},
		{"comes with a wrong type", base, nil, wrong, nil},
		{"goes", base, item("color", "red"), nil, []string{"red: gone"}},
		{"key appears", base, item(), item("color", "red"), []string{"red: shown"}},
		{"key goes", base, item("color", "red"), item(), []string{"red: gone"}},
		{"key gets a wrong type", base, item("color", "red"), wrong, []string{"red: gone"}},
		{"key changes", base, item("color", "red"), item("color", "blue"), []string{"red: gone", "blue: shown"}},
		{"other changes", base, item("color", "red"), item("color", "red", "note", "x"), []string{"red: shown"}},
		{"what is not shown changes", narrow, item("color", "red"), item("color", "red", "other", "x"), nil},
		{"what is shown changes", narrow, item("color", "red"), item("color", "red", "note", "x"), []string{"red: shown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			change := record.Change{Version: 7, Before: c.before, After: c.after}
			for _, e := range machine.IndexEntries(c.table, &c.table.Global[0], &change) {
				color, what := "", "gone"
				for _, known := range []string{"red", "blue"} {
					if key, _ := machine.IndexEntry(base, &base.Global[0], item("color", known)); string(key) == string(e.Key) {
						color = known
					}
				}
				if e.Item != nil {
					what = "shown"
				}
				if e.Version != 7 {
					t.Errorf("version %d", e.Version)
				}
				got = append(got, color+": "+what)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("entries %v, want %v", got, c.want)
			}
		})
	}
}

// feedTo feeds the partitions of a table to their ends, through another router if one is given.
func feedTo(t *testing.T, n *nodetest.Node, through propagate.Router) error {
	t.Helper()
	if through == nil {
		through = n.Router()
	}
	job := propagate.Job{Router: through, Wait: n.Wait, NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }}
	for _, p := range n.Catalog().Partitions(n.Entry("things").Table.ID) {
		for more := true; more; {
			var err error
			if more, err = job.Step(t.Context(), n.Must(p.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Writes of all kinds reach every index, and what is fed is trimmed.
func TestFeeding(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(nodetest.Things("color", "size"), 3)
	n.FillTable("things", 40, "color", "size")
	for i := range 20 {
		pk, sk := fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i)
		if i%2 == 0 {
			n.Write(n.Delete("things", pk, sk))
		} else {
			n.Write(n.Put("things", pk, sk, "color", "late", "size", "late"))
		}
	}
	if err := feedTo(t, n, nil); err != nil {
		t.Fatal(err)
	}
	if items := n.Check("things"); len(items) != 30 {
		t.Errorf("%d items", len(items))
	}
	for _, p := range n.Catalog().Partitions(made.ID) {
		if state := n.Must(p.ID).State(); state.Applied.First != state.Applied.Sequence+1 || state.Applied.LogBytes != 0 {
			t.Errorf("partition %d keeps %d..%d of its log", p.ID, state.Applied.First, state.Applied.Sequence)
		}
	}
}

// twice is a router that loses the answer of every other feed: it arrives and is sent again.
type twice struct {
	propagate.Router
	fed, lost int
}

var errLost = errors.New("the answer was lost")

func (r *twice) Feed(ctx context.Context, c *command.Command) error {
	if err := r.Router.Feed(ctx, c); err != nil {
		return err
	}
	if r.fed++; r.fed%2 == 1 {
		r.lost++
		return errLost
	}
	return nil
}

// A step that fails after its feed, or crashes before its cursor is saved, is made again and changes nothing.
func TestFeedingTwice(t *testing.T) {
	files := vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	n.Create(nodetest.Things("color"), 2)
	n.FillTable("things", 30, "color")
	router := &twice{Router: n.Router()}
	for range 20 {
		err := feedTo(t, n, router)
		if err == nil {
			break
		}
		if !errors.Is(err, errLost) {
			t.Fatal(err)
		}
	}
	if router.lost == 0 {
		t.Error("no answer was lost")
	}
	n.Check("things")
	n.FillTable("things", 30, "color")
	n.Write(n.Delete("things", "collection 1", "item 1"))
	n.Write(n.Put("things", "collection 2", "item 2", "color", "new"))
	if err := feedTo(t, n, &twice{Router: n.Router()}); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	n.Rest()
	n.Check("things")
}

// The halves of a split are fed in any order: versions settle which change of an item is the newer one.
func TestFeedingHalvesInAnyOrder(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		n := nodetest.Open(t, nil)
		made := n.Create(nodetest.Things("color"), 1)
		n.FillTable("things", 30, "color")
		if _, err := n.Split(t.Context(), "things", made.ID, nil); err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			pk, sk := fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i)
			if i%3 == 0 {
				n.Write(n.Delete("things", pk, sk))
			} else {
				n.Write(n.Put("things", pk, sk, "color", "late"))
			}
		}
		halves := slices.Clone(n.Catalog().Partitions(made.ID))
		if reverse {
			slices.Reverse(halves)
		}
		job := propagate.Job{Router: n.Router(), Wait: n.Wait, NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }}
		for _, p := range halves {
			if _, err := job.Step(t.Context(), n.Must(p.ID)); err != nil {
				t.Fatal(err)
			}
		}
		n.Check("things")
	}
}

// Nothing is fed to an index that is being deleted, and nothing for a table that is.
func TestGoing(t *testing.T) {
	n := nodetest.Open(t, nil)
	n.Create(nodetest.Things("color", "size"), 1)
	n.FillTable("things", 10, "color", "size")
	if _, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		next := now.Clone()
		next.Global[0].Status = table.IndexDeleting
		return next, nil
	}); err != nil {
		t.Fatal(err)
	}
	n.Rest()
	n.Check("things")
	if left := len(n.Entry("things").Table.Global); left != 1 {
		t.Errorf("%d indexes are left", left)
	}
}

// asleep is the log of a copy that was asleep while others led, and does not know it yet.
type asleep struct{ replica.Log }

func (asleep) Barrier(done func(error)) { done(&command.NotLeader{}) }

// counting is a router that counts what it feeds.
type counting struct {
	propagate.Router
	fed int
}

func (r *counting) Feed(ctx context.Context, c *command.Command) error {
	r.fed += len(c.Entries)
	return r.Router.Feed(ctx, c)
}

// What others have fed since, a copy that slept does not bring again: the index may have forgotten what came after it. The log that a
// stream keeps shows it all.
func TestSleeper(t *testing.T) {
	n := nodetest.Open(t, nil)
	streamed, err := nodetest.Things("color").BeginStream(table.ViewKeys, 1)
	if err != nil {
		t.Fatal(err)
	}
	made := n.Create(streamed, 1)
	n.Write(n.Put("things", "a", "1", "color", "red"))
	id := n.Catalog().Partitions(made.ID)[0].ID
	sleeper := replica.New(replica.Options{Partition: id, Engine: n.Engine(), Log: asleep{}, Wake: func() {}})
	state := n.Must(id).State()
	sleeper.Lead(state.Applied.Epoch, state)
	n.Write(n.Delete("things", "a", "1"))
	n.Rest()
	to := &counting{Router: n.Router()}
	job := propagate.Job{Router: to, Wait: n.Wait, NowMillis: func() int64 { return n.Clock.Now().UnixMilli() }}
	if more, err := job.Step(t.Context(), sleeper); more || err != nil || to.fed != 0 {
		t.Errorf("it fed %d entries, %t, %v", to.fed, more, err)
	}
}

// slow is a log whose barrier takes its time.
type slow struct {
	replica.Log
	wait func()
}

func (s slow) Barrier(done func(error)) {
	s.wait()
	done(nil)
}

// What is fed is as old as the look at what is not fed yet: it may come late.
func TestAgeOfWhatIsFed(t *testing.T) {
	n := nodetest.Open(t, nil)
	made := n.Create(nodetest.Things("color"), 1)
	n.Write(n.Put("things", "a", "1", "color", "red"))
	id := n.Catalog().Partitions(made.ID)[0].ID
	state := n.Must(id).State()
	r := replica.New(replica.Options{Partition: id, Engine: n.Engine(), Log: slow{wait: func() { n.Clock.Advance(time.Second) }}, Wake: func() {}})
	r.Lead(state.Applied.Epoch, state)
	began, sent := n.Clock.Now().UnixMilli(), int64(0)
	job := propagate.Job{
		Router: feeds(func(c *command.Command) error { sent = c.SentMillis; return errLost }), Wait: n.Wait,
		NowMillis: func() int64 { return n.Clock.Now().UnixMilli() },
	}
	if _, err := job.Step(t.Context(), r); !errors.Is(err, errLost) || sent != began {
		t.Errorf("sent at %d, begun at %d: %v", sent, began, err)
	}
}

type feeds func(c *command.Command) error

func (f feeds) Feed(_ context.Context, c *command.Command) error { return f(c) }
