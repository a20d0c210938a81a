package replica_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// scripted is a log that does nothing by itself: the story says what becomes of each batch, and when.
type scripted struct {
	engine *engine.Engine
	copy   replica.Copy
	held   []*held
	// refusing makes Append reject within the call; barred holds barriers back.
	refusing bool
	barred   bool
	barriers []func(error)
	events   *[]string
}

type held struct {
	number  int
	batch   machine.Batch
	done    func(replica.Outcome)
	visible bool
	ended   bool
}

func (l *scripted) Append(b machine.Batch, done func(replica.Outcome)) {
	h := &held{number: len(l.held) + 1, batch: b, done: done}
	l.held = append(l.held, h)
	kind := map[machine.Kind]string{machine.Writes: "batch", machine.Adopts: "adopt", machine.Splits: "split"}[b.Kind]
	*l.events = append(*l.events, fmt.Sprintf("log: %s %d in epoch %d chain %d", kind, h.number, b.Epoch, b.Chain))
	if l.refusing {
		h.ended = true
		done(replica.Rejected)
	}
}

func (l *scripted) Barrier(done func(error)) {
	if l.barred {
		l.barriers = append(l.barriers, done)
		return
	}
	done(nil)
}

func (l *scripted) Position() (performed, begun uint64) { return 0, 0 }

// show puts a batch into the engine, where every read sees it before it is durable.
func (l *scripted) show(h *held) {
	if h.visible {
		return
	}
	h.visible = true
	b := l.engine.NewBatch()
	defer b.Close()
	for _, r := range h.batch.Ranges {
		b.DeleteRange(r.Lower, r.Upper)
	}
	for _, w := range h.batch.Writes {
		if w.Value == nil {
			b.Delete(w.Key)
		} else {
			b.Set(w.Key, w.Value)
		}
	}
	if err := l.engine.Commit(b, false); err != nil {
		panic(err)
	}
}

// perform tells of a batch and then answers it; between happens between the two.
func (l *scripted) perform(h *held, between func()) {
	l.show(h)
	l.copy.Performed(h.batch, h.batch.After)
	between()
	l.end(h, replica.Performed)
}

func nothing() {}

func (l *scripted) end(h *held, outcome replica.Outcome) {
	h.ended = true
	h.done(outcome)
}

// world is one replica over an engine in memory and a scripted log.
type world struct {
	engine  *engine.Engine
	fs      vfs.FS
	log     *scripted
	replica *replica.Replica
	part    machine.Part
	events  []string
	awake   bool
	ordered bool // the next copy's Options.Ordered
	millis  int64
	steady  func() time.Duration // the next copy's Options.Steady
	// meanwhile happens once a pass has begun and nothing is decided yet.
	meanwhile func()
}

// newWorld is a partition of a table with a local index that shows keys only, and a global one, so that changes are
// recorded. Nobody leads yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	fs := vfs.NewMem()
	e, err := engine.Open(engine.Options{Dir: "memory", FS: fs, Fatal: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{engine: e, fs: fs, millis: 1000, part: machine.Born(10, 100, command.Bounds{})}
	w.part.Table = things(1)
	w.log = &scripted{engine: e, events: &w.events}
	newCopy(w)
	w.log.show(&held{batch: machine.Batch{Writes: w.part.Writes()}})
	return w
}

// newCopy begins the partition's copy anew, over what the engine holds.
func newCopy(w *world) *replica.Replica {
	w.replica = replica.New(replica.Options{
		Partition: 10, Engine: w.engine, Log: w.log, Wake: func() { w.awake = true }, NowMillis: w.now, Ordered: w.ordered,
		Steady: w.steady, Bounded: w.steady != nil,
		Performed: func(b machine.Batch, _ machine.Part) { w.tell("visible: chain %d", b.Chain) },
		Broken:    func(err error) { w.tell("broken: %v", err) },
	})
	w.log.copy = w.replica
	return w.replica
}

func (w *world) now() int64 {
	if happens := w.meanwhile; happens != nil {
		w.meanwhile = nil
		happens()
	}
	return w.millis
}

func (w *world) tell(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

// step lets the replica decide if it asked for that.
func (w *world) step() {
	if !w.awake {
		w.tell("asleep")
		return
	}
	for w.awake {
		w.awake = false
		for w.replica.Step() {
			continue
		}
	}
}

func things(version uint64) *table.Table {
	pk, sk := table.KeyAttribute{Name: "pk", Type: attr.S}, table.KeyAttribute{Name: "sk", Type: attr.S}
	color := table.KeyAttribute{Name: "color", Type: attr.S}
	return &table.Table{
		ID: 100, Name: "things", Version: version, State: table.Active,
		Key: table.Key{Hash: []table.KeyAttribute{pk}, Range: []table.KeyAttribute{sk}},
		Local: []table.Index{{ID: 1, Name: "local", Projection: table.Projection{Kind: table.KeysOnly},
			Key: table.Key{Hash: []table.KeyAttribute{pk}, Range: []table.KeyAttribute{color}}}},
		Global: []table.Index{{ID: 200, Name: "global", Status: table.IndexActive, Projection: table.Projection{Kind: table.All},
			Key: table.Key{Hash: []table.KeyAttribute{color}}}},
	}
}

func suffixOf(pk string, sk ...string) []byte {
	var rng []attr.Value
	for _, s := range sk {
		rng = append(rng, attr.String(s))
	}
	return keys.Suffix([]attr.Value{attr.String(pk)}, rng)
}

// foreign is a batch that another copy decided: it writes one item over the performed state.
func (w *world) foreign(epoch uint64, c *command.Command) machine.Batch {
	state := w.replica.State()
	if state.Applied.Epoch != epoch {
		state.Applied.Epoch, state.Applied.Chain = epoch, 0
	}
	b, _, err := machine.Decide(state, w.millis, engineView{w.engine}, []*command.Command{c})
	if err != nil {
		panic(err)
	}
	return b
}

type engineView struct{ *engine.Engine }

func (engineView) Busy(uint64) []command.Bounds { return nil }

func (l *scripted) find(number int) *held {
	i := slices.IndexFunc(l.held, func(h *held) bool { return h.number == number && !h.ended })
	if i < 0 {
		panic(fmt.Sprintf("no batch %d under way", number))
	}
	return l.held[i]
}

var _ replica.Log = (*scripted)(nil)
