package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"stator/internal/cluster/rpc"
	"stator/internal/node"
	"stator/internal/partition/multiraft"
	"stator/internal/storage/engine"
	"stator/sim/coroutine"
	"stator/sim/hardware"
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

// machine is one machine and the node that runs on it.
type machine struct {
	*hardware.Machine
	world *world
	// id is the node's, 0 until it has joined.
	id uint64

	ready    bool
	steps    *node.Steps // nil until the store is open
	handler  rpc.Handler // nil until it listens
	peers    *peers
	routines []*coroutine.Routine
	waiting  []waiting
	// planned are the steps that are, by what makes them.
	planned map[string]bool
	// gone are told when the machine stops.
	gone []*farewell
}

// farewell is somebody who is to be told that a machine has stopped.
type farewell struct{ tell func() }

func newMachine(w *world) *machine {
	m := &machine{world: w}
	m.Machine = w.Add(m)
	return m
}

func (m *machine) address() string { return fmt.Sprintf("machine-%d:1", m.Number) }

// serves tells whether its node answers.
func (m *machine) serves() bool { return m.Up && m.ready && !m.Over() }

// Boot implements hardware.Process.
func (m *machine) Boot() {
	w := m.world
	m.ready, m.steps, m.handler, m.planned, m.peers = false, nil, nil, map[string]bool{}, newPeers(m)
	w.Note("machine %d starts", m.Number)
	m.run("the start", func() {
		if err := m.open(context.Background()); err != nil && !m.Over() {
			w.Note("machine %d does not start: %v", m.Number, err)
			if m.id != 0 {
				w.Fail(fmt.Errorf("starting machine %d: %w", m.Number, err))
			}
			m.Fails(err) // it found nobody to join
		}
	})
}

// open is the process's main.
func (m *machine) open(ctx context.Context) (err error) {
	w := m.world
	if m.steps, err = node.Assemble(m.options()); err != nil {
		return err
	}
	if m.id = m.steps.Engine().Ident().Node; m.Over() {
		return nil
	}
	m.Disk.Opened(m.Starts == 1)
	if m.handler, err = m.steps.Listen(); err != nil {
		return err
	}
	m.tick()
	m.peers.ping()
	if err := m.steps.Recover(ctx); err != nil {
		return err
	}
	m.ready = true
	w.Note("machine %d serves as node %d with %d partitions", m.Number, m.id, len(m.steps.Partitions()))
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
		Address: m.address(), Init: m.Number == 1, Replicas: replicas, Timeout: requestTime, Workers: w.habits.workers, Zone: fmt.Sprint("zone ", m.Number),
		Network: m.peers,
	}
	if m.Number > 1 {
		membership.Join = others
	}
	log := slog.New(slog.DiscardHandler)
	if w.log != nil {
		log = slog.New(slog.NewTextHandler(w.log, nil)).With("machine", m.Number)
	}
	return node.Options{
		Data: dataDir, FS: m.Disk, MemtableBytes: memtableBytes, CacheBytes: cacheBytes, DiskReserve: -1, Creator: "simulator",
		Clock: timeOfDay{m}, Random: timeline.NewBytes(w.seed, m.Number<<32+uint64(m.Starts)), Membership: membership,
		Wait: m.wait, Pause: m.pause, Fatal: m.Fails, Log: log, Address: m.address(),
		Steady: func() time.Duration { return m.Clock.Even(w.Now) }, Within: m.within,
		After: func(d time.Duration, call func()) { m.Later(m.Clock.Stretched(d), call) },
		Broken: func(partition uint64, err error) {
			if !m.Over() {
				w.Fail(fmt.Errorf("machine %d: the copy of partition %d is quarantined: %w", m.Number, partition, err))
			}
		},
	}
}

// timeOfDay is a machine's clock that may jump.
type timeOfDay struct{ machine *machine }

// Now implements clock.Clock.
func (t timeOfDay) Now() time.Time {
	return time.UnixMilli(t.machine.Clock.Millis(t.machine.world.Now))
}

// do has the machine do something as soon as it can.
func (m *machine) do(something func()) { m.Later(0, something) }

// Look plans whatever there is to do on the machine.
func (m *machine) Look() {
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
	m.Later(1+m.world.Between(0, m.world.habits.stepDelay), func() {
		m.planned[name] = false
		step()
	})
}

func (m *machine) work(worker int) {
	m.plan(fmt.Sprint("worker ", worker), func() {
		if m.Pass(func() bool { return m.steps.Work(worker) }) {
			m.work(worker)
		}
	})
}

// tick has the groups count time, and plans the next tick: a little early or late, as timers are.
func (m *machine) tick() {
	m.steps.Tick()
	m.Later(m.Clock.Stretched(multiraft.TickDefault)+m.world.Between(-time.Millisecond, 4*time.Millisecond), m.tick)
}

// Store implements hardware.Process.
func (m *machine) Store() *engine.Engine {
	if m.steps == nil {
		return nil
	}
	return m.steps.Engine()
}

// Leave implements hardware.Process.
func (m *machine) Leave() {
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
	m.Disk.Release()
	m.Disk.Unhold()
	_ = m.steps.Abandon() // a crash closes nothing; what is open complains
	m.steps, m.handler = nil, nil
}

// errStopped is the end of what a machine was asked that has stopped.
var errStopped = errors.New("the machine has stopped")

func (m *machine) forget(f *farewell) {
	m.gone = slices.DeleteFunc(m.gone, func(other *farewell) bool { return other == f })
}
