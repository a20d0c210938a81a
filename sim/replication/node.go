package replication

import (
	"fmt"
	"slices"
	"time"

	"stator/internal/partition/machine"
	"stator/internal/partition/multiraft"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/sim/hardware"
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

// node is what runs on one machine, whose number is the id of the node.
type node struct {
	*hardware.Machine
	world *world

	engine  *engine.Engine
	host    *multiraft.Host
	copies  map[uint64]*partition
	pulses  map[uint64]pulse
	workers []bool // whether a step is planned
}

func newNode(w *world) *node {
	n := &node{world: w}
	n.Machine = w.Add(n)
	return n
}

func (w *world) node(id uint64) *node { return w.nodes[id-1] }

// Boot implements hardware.Process.
func (n *node) Boot() {
	w := n.world
	n.copies, n.pulses, n.workers = map[uint64]*partition{}, map[uint64]pulse{}, make([]bool, w.habits.workers)
	err := n.open()
	if n.Over() {
		n.Down()
		return
	}
	if err != nil {
		w.Fail(fmt.Errorf("starting node %d: %w", n.Number, err))
		return
	}
	w.Note("node %d starts with %d partitions", n.Number, len(n.copies))
	n.tick()
	n.ping()
	n.Later(w.Between(0, sweepEveryMax), n.sweep)
	n.Later(w.Between(0, birthEveryMax), n.birth)
}

// open opens the store and every partition in it.
func (n *node) open() (err error) {
	w := n.world
	n.engine, err = engine.Open(engine.Options{
		Dir: dataDir, FS: n.Disk, MemtableBytes: memtableBytes, CacheBytes: cacheBytes, ReserveBytes: -1, Creator: "simulator",
		Random: timeline.NewBytes(w.seed, n.Number), Fatal: n.Fails,
	})
	if err != nil {
		return err
	}
	n.Disk.Opened(n.Starts == 1)
	n.host = multiraft.New(n.hostOptions())
	if err := n.host.Birth(w.layout.born(n.Number)); err != nil || n.Over() {
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
	missing := slices.DeleteFunc(w.layout.born(n.Number), func(p machine.Part) bool {
		there, err := multiraft.Hosted(n.engine, p.Descriptor.Partition)
		return there || err != nil
	})
	err := n.host.Birth(missing)
	w.Note("node %d gives birth to what is missing of %d partitions: %v", n.Number, len(missing), err)
	for _, p := range missing {
		if there, _ := multiraft.Hosted(n.engine, p.Descriptor.Partition); there {
			n.adopt(p.Descriptor.Partition)
		}
	}
	n.Later(w.Between(birthEveryMax/2, birthEveryMax), n.birth)
}

// Look implements hardware.Process: whatever there is to do was planned when it came.
func (n *node) Look() {}

// Store implements hardware.Process.
func (n *node) Store() *engine.Engine { return n.engine }

// Leave implements hardware.Process.
func (n *node) Leave() {
	if n.engine == nil {
		return
	}
	n.Disk.Release()
	n.Disk.Unhold()
	_ = n.engine.Close() // a crash closes nothing; what is open complains
	n.engine = nil
}

// tick has the host count time, and plans the next tick: a little early or late, as timers are.
func (n *node) tick() {
	w := n.world
	n.host.Tick()
	n.Later(n.Clock.Stretched(tick)+w.Between(-time.Millisecond, 4*time.Millisecond), n.tick)
}

// wake plans a step of a worker.
func (n *node) wake(worker int) {
	if n.Over() || n.workers[worker] {
		return
	}
	n.workers[worker] = true
	n.Later(1+n.world.Between(0, n.world.habits.stepDelay), func() {
		n.workers[worker] = false
		if n.Pass(func() bool { return n.host.Step(worker) }) {
			n.wake(worker)
		}
	})
}
