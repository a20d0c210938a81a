// Package cluster is a cluster of whole nodes in one goroutine under a seed: catalog, router, groups and jobs of each, the
// network between them, clients at all of them, and whatever goes wrong, in an order that the seed replays. It knows nothing of
// sockets or of the API.
package cluster

import (
	"errors"
	"fmt"
	"io"
	"time"

	"stator/sim/hardware"
	"stator/sim/network"
	"stator/sim/shapes"
	"stator/sim/timeline"
)

// How long things take: nodes until they are a cluster with tables, clients at least, trouble at most, and a whole cluster until
// it is at rest.
const (
	bootTime    = 2 * time.Minute
	workTime    = 62 * time.Second
	troubleTime = 56 * time.Second
	restTime    = 3 * time.Minute
)

// What a run has at least.
const (
	operationsMin = 1000
	faultsMin     = 5
)

// Result is what a run was like.
type Result struct {
	Nodes                      int
	Operations, Unknown        int
	Transactions, Committed    int
	Audits                     int
	Faults, Crashes            int
	Splits, Moves, Transfers   int
	Indexes                    int
	Shards, Changes            int
	Messages, Calls, Snapshots int
	// Compared counts the copies of partitions that were held against another one at the same index.
	Compared  int
	Simulated time.Duration
	Turns     int
	// Trace is a checksum of all that happened: two runs of a seed have the same.
	Trace uint64
}

// habits are what the seed makes this run like.
type habits struct {
	nodes, workers    int
	clients, burst    int
	accounts, tellers int
	partitions        int
	network           network.Habits
	stepDelay, pause  time.Duration
	late              bool // whether a node joins when the others are at work
}

// Run runs a seed to its end and returns what it was like, or what was wrong. log, unless it is nil, gets a line for everything
// that happens, and what the nodes log. One run at a time is made in a process.
func Run(seed uint64, log io.Writer) (Result, error) {
	w := &world{seed: seed, log: log}
	trace, err := timeline.Live(seed, 0xc1a5, log, func(t *timeline.Timeline) error {
		w.Timeline = t
		w.draw()
		w.begin()
		err := w.live()
		w.Unwind()
		for _, m := range w.machines {
			m.Leave()
		}
		return err
	})
	w.result.Faults, w.result.Crashes = w.Faults, w.Crashes
	w.result.Turns, w.result.Compared, w.result.Simulated, w.result.Trace = w.Turns, w.sums.Compared, w.Now, trace
	return w.result, err
}

func (w *world) draw() {
	pick := w.Pick
	h := habits{
		nodes: pick(3, 3, 4, 4, 5), workers: pick(1, 1, 2), clients: 3 + w.Random.IntN(4), burst: pick(1, 2, 4, 8),
		accounts: 4 + w.Random.IntN(7), tellers: 2 + w.Random.IntN(2), partitions: 1 + w.Random.IntN(3),
		network: network.Habits{
			Delay:  time.Duration(pick(100, 500, 2000)) * time.Microsecond,
			Jitter: time.Duration(pick(100, 1000, 10_000)) * time.Microsecond,
			Loss:   pick(0, 0, 0, 1), Twice: pick(0, 0, 2), Late: pick(0, 0, 0, 1),
		},
		stepDelay: time.Duration(pick(10, 200, 2000)) * time.Microsecond,
	}
	h.late = h.nodes > 3 && w.Chance(40)
	// A client makes a burst, then pauses: together they are through with their operations when trouble ends.
	bursts := operationsMin * 3 / (1 + h.burst) / h.clients
	h.pause = troubleTime / time.Duration(max(1, bursts))
	w.habits, w.result.Nodes = h, h.nodes
	w.items = shapes.Draw{Random: w.Random, Keys: 3 + w.Random.IntN(3)}
}

// begin makes the machines, and starts those that are there from the beginning.
func (w *world) begin() {
	w.Network = network.New(w.Timeline, w.habits.network, w.habits.nodes)
	w.WholeStarts = 1 // a machine that has not joined has nothing to come back to
	w.Leader = func() *hardware.Machine {
		if m := w.anyLeader(); m != nil {
			return m.Machine
		}
		return nil
	}
	for range w.habits.nodes {
		w.machines = append(w.machines, newMachine(w))
	}
	for _, m := range w.machines {
		if m.Number > 1 && w.habits.late && m == w.machines[len(w.machines)-1] {
			continue
		}
		w.After(w.Between(0, 200*time.Millisecond), m.Start)
	}
}

// live is the whole of a run: nodes become a cluster, clients are at work among trouble, then all comes to rest and is checked.
func (w *world) live() error {
	if !w.Run(w.booted, bootTime) {
		return fmt.Errorf("the nodes do not become a cluster: %s", w.unrest())
	}
	w.Note("booted")
	w.work = w.Now
	w.startClients()
	w.startTellers()
	w.startTroubles()
	w.startChanges()
	w.startSums()
	worked := func() bool { return w.Now >= w.work+workTime && w.result.Operations >= operationsMin }
	if !w.Run(worked, w.work+10*workTime) && w.Failed() == nil {
		return fmt.Errorf("only %d operations were made in %s", w.result.Operations, w.Now)
	}
	w.Heal()
	if !w.Run(func() bool { return w.clients == 0 }, w.Now+restTime) && w.Failed() == nil {
		return errors.New("the clients of a whole cluster get no answers")
	}
	if w.Failed() != nil {
		return nil // run tells
	}
	if w.Faults < faultsMin {
		return fmt.Errorf("only %d faults", w.Faults)
	}
	return w.finish()
}
