package cluster

import "time"

// trouble is one kind of what goes wrong. It returns what mends it, nil if it passes by itself.
type trouble struct {
	name  string
	begin func(w *world) (mend func())
}

var troubles = []trouble{
	{"a crash", (*world).crashOne},
	{"a crash at a sync", (*world).crashAtSync},
	{"a crash of a leader", (*world).crashLeader},
	{"a crash of all", (*world).crashAll},
	{"a partition", func(w *world) func() { return w.network.Part() }},
	{"a machine alone", func(w *world) func() { return w.cut(w.anyMachine(), true, true) }},
	{"a leader alone", (*world).isolateLeader},
	{"a mute machine", func(w *world) func() { return w.cut(w.anyMachine(), true, false) }},
	{"a deaf machine", func(w *world) func() { return w.cut(w.anyMachine(), false, true) }},
	{"a halt", (*world).halt},
	{"a halt of a leader", (*world).haltLeader},
	{"a storm", func(w *world) func() { return w.network.Storm() }},
	{"a jump of a clock", (*world).jump},
}

// Trouble comes this far apart, and lasts this long.
const (
	troubleEveryMax = 7 * time.Second
	troubleLastsMax = 4 * time.Second
)

// startTroubles makes what troubles the machines.
func (w *world) startTroubles() {
	w.Start("trouble", func() {
		for w.Now < w.work+troubleTime && !w.calm {
			w.Sleep(w.Between(troubleEveryMax/6, troubleEveryMax))
			if w.calm {
				return
			}
			t := troubles[w.Random.IntN(len(troubles))]
			w.Note("trouble: %s", t.name)
			mend := t.begin(w)
			w.result.Faults++
			if mend != nil {
				w.After(w.Between(50*time.Millisecond, troubleLastsMax), mend)
			}
		}
	})
}

// heal ends all trouble.
func (w *world) heal() {
	w.network.Heal()
	for _, m := range w.machines {
		m.stoppedUntil, m.doom = min(m.stoppedUntil, w.Now), 0
		m.start()
	}
	w.Note("all is healed")
}

func (w *world) crashOne() func() {
	w.anyMachine().crash()
	return nil
}

// crashAtSync stops a machine in the midst of a step.
func (w *world) crashAtSync() func() {
	w.anyMachine().doom = 1 + w.Random.IntN(20)
	return nil
}

// crashLeader stops a machine that leads, at one of its next syncs.
func (w *world) crashLeader() func() {
	if m := w.anyLeader(); m != nil {
		m.doom = 1 + w.Random.IntN(3)
	}
	return nil
}

func (w *world) crashAll() func() {
	for _, m := range w.machines {
		m.crash()
	}
	return nil
}

// cut keeps a machine from being heard, or from hearing.
func (w *world) cut(m *machine, out, in bool) func() {
	return w.network.Cut(w.network.Around(m.place, out, in))
}

func (w *world) isolateLeader() func() {
	m := w.anyLeader()
	if m == nil {
		return nil
	}
	return w.cut(m, true, w.Chance(70))
}

// halt keeps a machine from doing anything for a while, as a host does that pauses its guests.
func (w *world) halt() func() {
	w.anyMachine().stoppedUntil = w.Now + w.Between(50*time.Millisecond, 4*time.Second)
	return nil
}

func (w *world) haltLeader() func() {
	if m := w.anyLeader(); m != nil {
		m.stoppedUntil = w.Now + w.Between(50*time.Millisecond, 4*time.Second)
	}
	return nil
}

// jump sets the time of day of a machine.
func (w *world) jump() func() {
	m := w.anyMachine()
	w.Note("machine %d is %s off", m.place, m.clock.Jump(w.Timeline))
	return nil
}
