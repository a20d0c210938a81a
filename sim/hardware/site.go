// Package hardware is the machines of a simulated world and the network between them, both of which fail as a seed says. It does
// not know what runs on them.
package hardware

import (
	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/sim/network"
	"stator/sim/timeline"
)

// Site is all of them, and the time in which they are.
type Site struct {
	*timeline.Timeline
	Network  *network.Network
	Machines []*Machine
	// Leader is some machine that leads something, nil if there is none.
	Leader func() *Machine
	// WholeStarts is how many starts of each machine its disk does not end.
	WholeStarts int
	// Calm tells trouble to stop, and all else to come to an end.
	Calm bool

	Faults, Crashes int
}

// Add makes the machine on which a process is to run.
func (s *Site) Add(p Process) *Machine {
	m := &Machine{Number: uint64(len(s.Machines)) + 1, Clock: timeline.NewClock(s.Timeline), site: s, process: p, files: vfs.NewCrashableMem()}
	s.Machines = append(s.Machines, m)
	return m
}

// Any is any machine.
func (s *Site) Any() *Machine { return s.Machines[s.Random.IntN(len(s.Machines))] }

// Heal ends all trouble for good.
func (s *Site) Heal() {
	s.Calm = true
	s.Network.Heal()
	for _, m := range s.Machines {
		m.haltedUntil, m.doom = min(m.haltedUntil, s.Now), 0
		m.Start()
	}
	s.Note("all is healed")
}
