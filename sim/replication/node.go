package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/sim/disk"
	"stator/sim/timeline"
)

// tick is the time between two ticks of a node.
const tick = 50 * time.Millisecond

const (
	dataDir = "/data"
	// memtableBytes is so large that none is ever full: when one is depends on more than the seed.
	memtableBytes = 64 << 20
	cacheBytes    = 1 << 20
)

// node is one machine: what is on its disk outlives a crash, all else is of one start.
type node struct {
	world *world
	id    uint64
	clock timeline.Clock
	files *vfs.MemFS
	// starts counts; what was planned in an earlier one does not happen.
	starts int
	// returns is how long it will be down the next time, if that is set.
	returns time.Duration
	// doom is in which pass from now on, of those that sync, the machine stops; 0 is none.
	doom int
	// stoppedUntil is when a node goes on that has halted.
	stoppedUntil time.Duration

	up      bool
	fatal   error
	disk    *disk.Disk
	engine  *engine.Engine
	host    *multiraft.Host
	copies  map[uint64]*partition
	pulses  map[uint64]pulse
	workers []bool // whether a step is planned
}

func newNode(w *world, id uint64) *node {
	return &node{world: w, id: id, clock: timeline.NewClock(w.Timeline), files: vfs.NewCrashableMem()}
}

func (w *world) node(id uint64) *node { return w.nodes[id-1] }

// over tells whether the machine has stopped: what its code still does until it gives way has no consequence.
func (n *node) over() bool { return !n.up || n.fatal != nil || n.disk.Crashed() != nil }

// start brings a machine up on what its disk holds.
func (n *node) start() {
	w := n.world
	if n.up || w.Failed() != nil {
		return
	}
	n.starts++
	n.up, n.fatal, n.stoppedUntil, n.doom = true, nil, 0, 0
	n.copies, n.pulses, n.workers = map[uint64]*partition{}, map[uint64]pulse{}, make([]bool, w.habits.workers)
	plan := disk.Plan{Seed: w.Random.Uint64(), Percent: []uint64{0, 0, 50, 90, 100}[w.Random.IntN(5)]}
	if !w.calm && w.Chance(5) {
		plan.CrashAt, plan.After = 1+w.Random.IntN(40), w.Chance(50)
	}
	n.disk = disk.New(n.files, plan, func() {})
	err := n.open()
	if n.over() {
		n.down()
		return
	}
	if err != nil {
		w.Fail(fmt.Errorf("starting node %d: %w", n.id, err))
		return
	}
	w.Note("node %d starts with %d partitions", n.id, len(n.copies))
	n.tick()
	n.ping()
	n.later(w.Between(0, sweepEveryMax), n.sweep)
	n.later(w.Between(0, birthEveryMax), n.birth)
}

// open opens the store and every partition in it.
func (n *node) open() (err error) {
	w := n.world
	n.engine, err = engine.Open(engine.Options{
		Dir: dataDir, FS: n.disk, MemtableBytes: memtableBytes, CacheBytes: cacheBytes, ReserveBytes: -1, Creator: "simulator",
		Random: timeline.NewBytes(w.seed, n.id), Fatal: n.fails,
	})
	if err != nil {
		return err
	}
	n.disk.Opened(n.starts == 1)
	n.host = multiraft.New(n.hostOptions())
	if err := n.host.Birth(w.layout.born(n.id)); err != nil || n.over() {
		return err
	}
	ids, err := replica.Stored(n.engine)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := n.keep(id); err != nil {
			return err
		}
	}
	return nil
}

// birthEveryMax is about how often a node reads the record again that names the first partitions' replicas.
const birthEveryMax = 10 * time.Second

// birth has the node act on that record once more, for what it finds missing, as one does whose copy of the catalog is
// behind: what was here and is removed must not come back. It cannot while a snapshot of the same keys is on its way.
func (n *node) birth() {
	w := n.world
	missing := slices.DeleteFunc(w.layout.born(n.id), func(p machine.Part) bool {
		there, err := multiraft.Hosted(n.engine, p.Descriptor.Partition)
		return there || err != nil
	})
	err := n.host.Birth(missing)
	w.Note("node %d gives birth to what is missing of %d partitions: %v", n.id, len(missing), err)
	for _, p := range missing {
		if there, _ := multiraft.Hosted(n.engine, p.Descriptor.Partition); there {
			n.adopt(p.Descriptor.Partition)
		}
	}
	n.later(w.Between(birthEveryMax/2, birthEveryMax), n.birth)
}

// fails is the engine's end of the process.
func (n *node) fails(err error) {
	if n.fatal == nil {
		n.fatal = err
	}
}

// do has the machine do something now, or when it goes on, unless it has stopped until then.
func (n *node) do(something func()) {
	n.later(0, something)
}

// later plans something that this start of the machine does.
func (n *node) later(d time.Duration, something func()) {
	start, w := n.starts, n.world
	act := func() {
		if start != n.starts || !n.up {
			return
		}
		if n.stoppedUntil > w.Now {
			n.later(n.stoppedUntil-w.Now, something)
			return
		}
		something()
		if n.over() {
			n.down()
		}
	}
	if d <= 0 {
		act()
		return
	}
	w.After(d, act)
}

// crash stops the machine between two of its steps: what the engine's log holds is as much as can be on its disk.
func (n *node) crash() {
	if !n.up {
		return
	}
	n.disk.Hold()
	if err := n.engine.Sync(); err != nil && n.fatal == nil {
		n.world.Fail(fmt.Errorf("node %d: %w", n.id, err))
	}
	n.disk.Stop()
	n.down()
}

// down is what is left when a machine has stopped. It comes back after a while.
func (n *node) down() {
	w := n.world
	n.up = false
	n.files = n.disk.Stop()
	w.Note("node %d is down: %v", n.id, n.fatal)
	w.result.Crashes++
	n.leave()
	pause := w.Between(0, 4*time.Second)
	if w.calm || w.Chance(30) {
		pause = w.Between(0, 100*time.Millisecond)
	}
	if n.returns > 0 {
		pause, n.returns = n.returns, 0
	}
	w.After(pause, n.start)
}

// leave gives back what a start holds.
func (n *node) leave() {
	if n.engine == nil {
		return
	}
	n.disk.Release()
	n.disk.Unhold()
	_ = n.engine.Close() // a crash closes nothing; what is open complains
	n.engine = nil
}

// tick has the host count time, and plans the next tick: a little early or late, as timers are.
func (n *node) tick() {
	w := n.world
	n.host.Tick()
	n.later(n.clock.Stretched(tick)+w.Between(-time.Millisecond, 4*time.Millisecond), n.tick)
}

// wake plans a step of a worker.
func (n *node) wake(worker int) {
	if n.over() || n.workers[worker] {
		return
	}
	n.workers[worker] = true
	n.later(1+n.world.Between(0, n.world.habits.stepDelay), func() {
		n.workers[worker] = false
		if n.step(worker) {
			n.wake(worker)
		}
	})
}

// step has a worker do one pass, which may be the one in which the machine stops. Passes that sync are counted, and not syncs:
// the engine makes some of its own, at moments that depend on more than the seed.
func (n *node) step(worker int) (more bool) {
	before := n.disk.Syncs()
	if n.doom == 1 {
		n.disk.CrashIn(1, n.world.Chance(50))
	}
	more = n.host.Step(worker)
	if n.doom > 1 && n.disk.Syncs() > before {
		n.doom--
	}
	return more
}
