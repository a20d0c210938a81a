package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/cluster/rpc"
	"stator/internal/node"
	"stator/internal/partition/multiraft"
	"stator/sim/coroutine"
	"stator/sim/disk"
	"stator/sim/timeline"
)

const (
	dataDir = "/data"
	// memtableBytes is so large that none is ever full: when one is depends on more than the seed.
	memtableBytes = 64 << 20
	cacheBytes    = 1 << 20
	// replicas is how many copies of a partition there are.
	replicas = 3
	// requestTime is how long a node tries to answer a request.
	requestTime = 5 * time.Second
)

// machine is one machine and the node that runs on it: what is on its disk outlives a crash, all else is of one start.
type machine struct {
	world *world
	place uint64
	clock timeline.Clock
	files *vfs.MemFS
	// id is the node's, 0 until it has joined.
	id uint64
	// starts counts; what was planned in an earlier one does not happen.
	starts int
	// doom is in which pass from now on, of those that sync, the machine stops; 0 is none.
	doom int
	// stoppedUntil is when a machine goes on that has halted.
	stoppedUntil time.Duration

	up, ready bool
	fatal     error
	disk      *disk.Disk
	steps     *node.Steps // nil until the store is open
	handler   rpc.Handler // nil until it listens
	peers     *peers
	routines  []*coroutine.Routine
	waiting   []waiting
	// planned are the steps that are, by what makes them.
	planned map[string]bool
	// gone are told when the machine stops.
	gone []*farewell
}

// farewell is somebody who is to be told that a machine has stopped.
type farewell struct{ tell func() }

func newMachine(w *world, place uint64) *machine {
	return &machine{world: w, place: place, clock: timeline.NewClock(w.Timeline), files: vfs.NewCrashableMem()}
}

func (m *machine) address() string { return fmt.Sprintf("machine-%d:1", m.place) }

// over tells whether the machine has stopped: what its code still does until it gives way has no consequence.
func (m *machine) over() bool { return !m.up || m.fatal != nil || m.disk.Crashed() != nil }

// serves tells whether its node answers.
func (m *machine) serves() bool { return m.up && m.ready && !m.over() }

// start brings a machine up on what its disk holds.
func (m *machine) start() {
	w := m.world
	if m.up || w.Failed() != nil {
		return
	}
	m.starts++
	m.up, m.ready, m.fatal, m.stoppedUntil, m.doom = true, false, nil, 0, 0
	m.steps, m.handler, m.planned, m.peers = nil, nil, map[string]bool{}, newPeers(m)
	plan := disk.Plan{Seed: w.Random.Uint64(), Percent: []uint64{0, 0, 50, 90, 100}[w.Random.IntN(5)]}
	if !w.calm && m.starts > 1 && w.Chance(5) {
		plan.CrashAt, plan.After = 1+w.Random.IntN(40), w.Chance(50)
	}
	m.disk = disk.New(m.files, plan, func() {})
	w.Note("machine %d starts", m.place)
	m.run("the start", func() {
		if err := m.open(context.Background()); err != nil && !m.over() {
			w.Note("machine %d does not start: %v", m.place, err)
			if m.id != 0 {
				w.Fail(fmt.Errorf("starting machine %d: %w", m.place, err))
			}
			m.fails(err) // it found nobody to join
		}
	})
}

// open is the process's main.
func (m *machine) open(ctx context.Context) (err error) {
	w := m.world
	if m.steps, err = node.Assemble(m.options()); err != nil {
		return err
	}
	if m.id = m.steps.Engine().Ident().Node; m.over() {
		return nil
	}
	m.disk.Opened(m.starts == 1)
	if m.handler, err = m.steps.Listen(); err != nil {
		return err
	}
	m.tick()
	m.peers.ping()
	if err := m.steps.Recover(ctx); err != nil {
		return err
	}
	m.ready = true
	w.Note("machine %d serves as node %d with %d partitions", m.place, m.id, len(m.steps.Partitions()))
	for _, d := range m.steps.Duties() {
		m.run(d.Name(), func() { m.attend(ctx, d) })
	}
	return nil
}

func (m *machine) options() node.Options {
	w := m.world
	var others []string
	for _, other := range w.machines {
		if other != m {
			others = append(others, other.address())
		}
	}
	membership := &node.Membership{
		Address: m.address(), Init: m.place == 1, Replicas: replicas, Timeout: requestTime, Workers: w.habits.workers, Zone: fmt.Sprint("zone ", m.place),
		Network: m.peers,
	}
	if m.place > 1 {
		membership.Join = others
	}
	log := slog.New(slog.DiscardHandler)
	if w.log != nil {
		log = slog.New(slog.NewTextHandler(w.log, nil)).With("machine", m.place)
	}
	return node.Options{
		Data: dataDir, FS: m.disk, MemtableBytes: memtableBytes, CacheBytes: cacheBytes, DiskReserve: -1, Creator: "simulator",
		Clock: timeOfDay{m}, Random: timeline.NewBytes(w.seed, m.place<<32+uint64(m.starts)), Membership: membership,
		Wait: m.wait, Pause: m.pause, Fatal: m.fails, Log: log, Address: m.address(),
		Steady: func() time.Duration { return m.clock.Even(w.Now) }, Within: m.within,
		After: func(d time.Duration, call func()) { m.later(m.clock.Stretched(d), call) },
		Broken: func(partition uint64, err error) {
			if !m.over() {
				w.Fail(fmt.Errorf("machine %d: the copy of partition %d is quarantined: %w", m.place, partition, err))
			}
		},
	}
}

// timeOfDay is a machine's clock that may jump.
type timeOfDay struct{ machine *machine }

// Now implements clock.Clock.
func (t timeOfDay) Now() time.Time {
	return time.UnixMilli(t.machine.clock.Millis(t.machine.world.Now))
}

// fails is the end of the process.
func (m *machine) fails(err error) {
	if m.fatal == nil {
		m.fatal = err
	}
}

// do has the machine do something now, or when it goes on, unless it has stopped until then.
func (m *machine) do(something func()) { m.later(0, something) }

// later plans something that this start of the machine does.
func (m *machine) later(d time.Duration, something func()) {
	start, w := m.starts, m.world
	w.After(d, func() {
		if start != m.starts || !m.up {
			return
		}
		if m.stoppedUntil > w.Now {
			m.later(m.stoppedUntil-w.Now, something)
			return
		}
		something()
		if m.over() {
			m.down()
			return
		}
		m.look()
	})
}

// look plans whatever there is to do on the machine.
func (m *machine) look() {
	m.wake()
	if m.handler == nil {
		return
	}
	for worker := range m.steps.Workers() {
		if m.steps.Asked(worker) {
			m.work(worker)
		}
	}
	if m.steps.Executable() > 0 {
		m.plan("executor", func() {
			if n := m.steps.Executable(); n > 0 {
				m.steps.Execute(m.world.Random.IntN(n))
			}
		})
	}
	if m.steps.Shipments() > 0 {
		m.plan("shipments", func() {
			for range m.steps.Shipments() {
				m.run("a shipment", func() { m.steps.Ship() })
			}
		})
	}
	if m.steps.Unborn() {
		m.plan("births", func() { m.steps.Bear() })
	}
}

// plan plans a step, if it is not planned.
func (m *machine) plan(name string, step func()) {
	if m.planned[name] {
		return
	}
	m.planned[name] = true
	m.later(1+m.world.Between(0, m.world.habits.stepDelay), func() {
		m.planned[name] = false
		step()
	})
}

func (m *machine) work(worker int) {
	m.plan(fmt.Sprint("worker ", worker), func() {
		if m.pass(worker) {
			m.work(worker)
		}
	})
}

// pass has a worker make a pass, which may be the one in which the machine stops. Passes that sync are counted, and not syncs:
// the engine makes some of its own, at moments that depend on more than the seed.
func (m *machine) pass(worker int) (more bool) {
	before := m.disk.Syncs()
	if m.doom == 1 {
		m.disk.CrashIn(1, m.world.Chance(50))
	}
	more = m.steps.Work(worker)
	if m.doom > 1 && m.disk.Syncs() > before {
		m.doom--
	}
	return more
}

// tick has the groups count time, and plans the next tick: a little early or late, as timers are.
func (m *machine) tick() {
	m.steps.Tick()
	m.later(m.clock.Stretched(multiraft.TickDefault)+m.world.Between(-time.Millisecond, 4*time.Millisecond), m.tick)
}

// crash stops the machine between two of its steps: what the engine's log holds is as much as can be on its disk.
func (m *machine) crash() {
	if !m.up {
		return
	}
	if m.steps != nil {
		m.disk.Hold()
		if err := m.steps.Engine().Sync(); err != nil && m.fatal == nil {
			m.world.Fail(fmt.Errorf("machine %d: %w", m.place, err))
		}
	}
	m.disk.Stop()
	m.down()
}

// down is what is left when a machine has stopped. It comes back after a while.
func (m *machine) down() {
	w := m.world
	m.up = false
	m.files = m.disk.Stop()
	w.Note("machine %d is down: %v", m.place, m.fatal)
	w.result.Crashes++
	m.leave()
	pause := w.Between(0, 4*time.Second)
	if w.calm || w.Chance(30) {
		pause = w.Between(0, 100*time.Millisecond)
	}
	w.After(pause, m.start)
}

// leave gives back what a start holds.
func (m *machine) leave() {
	told := m.gone
	m.gone = nil
	for _, f := range told {
		f.tell()
	}
	for _, r := range m.routines {
		m.world.End(r)
	}
	m.routines, m.waiting = nil, nil
	if m.steps == nil {
		return
	}
	m.disk.Release()
	m.disk.Unhold()
	_ = m.steps.Abandon() // a crash closes nothing; what is open complains
	m.steps, m.handler = nil, nil
}

// errStopped is the end of what a machine was asked that has stopped.
var errStopped = errors.New("the machine has stopped")

func (m *machine) forget(f *farewell) {
	m.gone = slices.DeleteFunc(m.gone, func(other *farewell) bool { return other == f })
}
