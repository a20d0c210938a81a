package hardware

import "time"

// Trouble is one kind of what goes wrong. Begin returns what mends it, nil if it passes by itself.
type Trouble struct {
	Name  string
	Begin func() (mend func())
}

// Troubles come at most EveryMax apart until a moment, each of any kind, and last at most LastsMax.
type Troubles struct {
	Kinds                     []Trouble
	Until, EveryMax, LastsMax time.Duration
}

// StartTroubles makes what troubles the machines.
func (s *Site) StartTroubles(t Troubles) {
	s.Timeline.Start("trouble", func() {
		for s.Now < t.Until && !s.Calm {
			s.Sleep(s.Between(t.EveryMax/6, t.EveryMax))
			if s.Calm {
				return
			}
			one := t.Kinds[s.Random.IntN(len(t.Kinds))]
			s.Note("trouble: %s", one.Name)
			mend := one.Begin()
			s.Faults++
			if mend != nil {
				s.After(s.Between(50*time.Millisecond, t.LastsMax), mend)
			}
		}
	})
}

// CrashOne stops a machine.
func (s *Site) CrashOne() func() {
	s.Any().Crash()
	return nil
}

// CrashAtSync stops a machine in the midst of a step.
func (s *Site) CrashAtSync() func() {
	s.Any().doom = 1 + s.Random.IntN(20)
	return nil
}

// CrashLeader stops a machine that leads, at one of its next syncs.
func (s *Site) CrashLeader() func() {
	if m := s.Leader(); m != nil {
		m.doom = 1 + s.Random.IntN(3)
	}
	return nil
}

// CrashAll stops every machine.
func (s *Site) CrashAll() func() {
	for _, m := range s.Machines {
		m.Crash()
	}
	return nil
}

// Isolate keeps any machine from being heard, from hearing, or both.
func (s *Site) Isolate(out, in bool) func() func() {
	return func() func() { return s.Cut(s.Any(), out, in) }
}

// IsolateLeader keeps a machine that leads from being heard, and mostly from hearing.
func (s *Site) IsolateLeader() func() {
	m := s.Leader()
	if m == nil {
		return nil
	}
	return s.Cut(m, true, s.Chance(70))
}

// Cut keeps a machine from being heard, or from hearing.
func (s *Site) Cut(m *Machine, out, in bool) func() {
	return s.Network.Cut(s.Network.Around(m.Number, out, in))
}

// haltMax is how long a machine stands still at most.
const haltMax = 4 * time.Second

// HaltOne halts a machine.
func (s *Site) HaltOne() func() { return s.halt(s.Any()) }

// HaltLeader halts a machine that leads.
func (s *Site) HaltLeader() func() { return s.halt(s.Leader()) }

// HaltEither halts as often any machine as one that leads.
func (s *Site) HaltEither() func() {
	m := s.Any()
	if s.Chance(50) {
		if leads := s.Leader(); leads != nil {
			m = leads
		}
	}
	return s.halt(m)
}

func (s *Site) halt(m *Machine) func() {
	if m != nil {
		m.Halt(s.Between(50*time.Millisecond, haltMax))
	}
	return nil
}

// JumpOne sets the time of day of a machine.
func (s *Site) JumpOne() func() {
	m := s.Any()
	s.Note("machine %d is %s off", m.Number, m.Clock.Jump(s.Timeline))
	return nil
}
