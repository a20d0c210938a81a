package cluster

import (
	"time"

	"stator/sim/hardware"
)

// Trouble comes this far apart, and lasts this long.
const (
	troubleEveryMax = 7 * time.Second
	troubleLastsMax = 4 * time.Second
)

// startTroubles makes what troubles the machines. A seed draws from the list by number.
func (w *world) startTroubles() {
	w.StartTroubles(hardware.Troubles{
		Until: w.work + troubleTime, EveryMax: troubleEveryMax, LastsMax: troubleLastsMax,
		Kinds: []hardware.Trouble{
			{Name: "a crash", Begin: w.CrashOne},
			{Name: "a crash at a sync", Begin: w.CrashAtSync},
			{Name: "a crash of a leader", Begin: w.CrashLeader},
			{Name: "a crash of all", Begin: w.CrashAll},
			{Name: "a partition", Begin: w.Network.Part},
			{Name: "a machine alone", Begin: w.Isolate(true, true)},
			{Name: "a leader alone", Begin: w.IsolateLeader},
			{Name: "a mute machine", Begin: w.Isolate(true, false)},
			{Name: "a deaf machine", Begin: w.Isolate(false, true)},
			{Name: "a halt", Begin: w.HaltOne},
			{Name: "a halt of a leader", Begin: w.HaltLeader},
			{Name: "a storm", Begin: w.Network.Storm},
			{Name: "a jump of a clock", Begin: w.JumpOne},
		},
	})
}
