package hardware

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/storage/engine"
	"stator/sim/disk"
	"stator/sim/timeline"
)

// Machine is one machine: what is on its disk outlives a crash, all else is of one start.
type Machine struct {
	// Number is its number in the network.
	Number uint64
	Clock  timeline.Clock
	// Up tells whether it runs. Starts counts; what was planned in an earlier one does not happen.
	Up     bool
	Starts int
	// Disk is that of this start.
	Disk *disk.Disk
	// Returns is how long it will be down the next time, if that is set.
	Returns time.Duration

	site    *Site
	process Process
	files   *vfs.MemFS
	fatal   error
	// doom is in which pass from now on, of those that sync, the machine stops; 0 is none.
	doom int
	// haltedUntil is when a machine goes on that has halted.
	haltedUntil time.Duration
}

// Process is what runs on a machine.
type Process interface {
	// Boot begins it, on what is on the disk.
	Boot()
	// Look is called when it has done anything.
	Look()
	// Store is the store that it has open, nil for none.
	Store() *engine.Engine
	// Leave gives back what it holds.
	Leave()
}

// Over tells whether the machine has stopped: what its code still does until it gives way has no consequence.
func (m *Machine) Over() bool { return !m.Up || m.fatal != nil || m.Disk.Crashed() != nil }

// Halted tells whether it stands still now.
func (m *Machine) Halted() bool { return m.haltedUntil > m.site.Now }

// Halt keeps it from doing anything for a while, as a host does that pauses its guests.
func (m *Machine) Halt(d time.Duration) { m.haltedUntil = m.site.Now + d }

// Start brings the machine up.
func (m *Machine) Start() {
	s := m.site
	if m.Up || s.Failed() != nil {
		return
	}
	m.Starts++
	m.Up, m.fatal, m.haltedUntil, m.doom = true, nil, 0, 0
	plan := disk.Plan{Seed: s.Random.Uint64(), Percent: []uint64{0, 0, 50, 90, 100}[s.Random.IntN(5)]}
	if !s.Calm && m.Starts > s.WholeStarts && s.Chance(5) {
		plan.CrashAt, plan.After = 1+s.Random.IntN(40), s.Chance(50)
	}
	m.Disk = disk.New(m.files, plan, func() {})
	m.process.Boot()
}

// Fails is the end of the process.
func (m *Machine) Fails(err error) {
	if m.fatal == nil {
		m.fatal = err
	}
}

// Do has the machine do something now, or when it goes on, unless it has stopped until then.
func (m *Machine) Do(something func()) {
	switch {
	case !m.Up:
	case m.Halted():
		m.Later(m.haltedUntil-m.site.Now, something)
	default:
		something()
		if m.Over() {
			m.Down()
			return
		}
		m.process.Look()
	}
}

// Later plans something that this start of the machine does.
func (m *Machine) Later(d time.Duration, something func()) {
	start := m.Starts
	m.site.After(d, func() {
		if start == m.Starts {
			m.Do(something)
		}
	})
}

// Pass makes a pass of a worker, which may be the one in which the machine stops. Passes that sync are counted, and not syncs: the
// engine makes some of its own, at moments that depend on more than the seed.
func (m *Machine) Pass(step func() (more bool)) (more bool) {
	before := m.Disk.Syncs()
	if m.doom == 1 {
		m.Disk.CrashIn(1, m.site.Chance(50))
	}
	more = step()
	if m.doom > 1 && m.Disk.Syncs() > before {
		m.doom--
	}
	return more
}

// Crash stops the machine between two of its steps: what the engine's log holds is as much as can be on its disk.
func (m *Machine) Crash() {
	if !m.Up {
		return
	}
	if store := m.process.Store(); store != nil {
		m.Disk.Hold()
		if err := store.Sync(); err != nil && m.fatal == nil {
			m.site.Fail(fmt.Errorf("machine %d: %w", m.Number, err))
		}
	}
	m.Disk.Stop()
	m.Down()
}

// Down is what is left when a machine has stopped. It comes back after a while.
func (m *Machine) Down() {
	s := m.site
	m.Up = false
	m.files = m.Disk.Stop()
	s.Note("machine %d is down: %v", m.Number, m.fatal)
	s.Crashes++
	m.process.Leave()
	pause := s.Between(0, 4*time.Second)
	if s.Calm || s.Chance(30) {
		pause = s.Between(0, 100*time.Millisecond)
	}
	if m.Returns > 0 {
		pause, m.Returns = m.Returns, 0
	}
	s.After(pause, m.Start)
}
