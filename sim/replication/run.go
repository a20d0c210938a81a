// Package replication is a cluster in one goroutine under a seed: nodes with their disks and clocks, the network between
// them, clients, and whatever goes wrong, in an order that the seed replays. It knows nothing of sockets, of the API or of
// a catalog.
package replication

import (
	"errors"
	"fmt"
	"io"
	"time"

	"stator/internal/partition/multiraft"
	"stator/sim/hardware"
	"stator/sim/network"
	"stator/sim/timeline"
)

const (
	// startTime is when clients begin. workTime is how long clients work at least, and longer if no partition was split or moved
	// by then; troubleTime is when trouble ends; restTime is how long a whole cluster may take to come to rest.
	startTime   = 500 * time.Millisecond
	workTime    = 60 * time.Second
	troubleTime = 54 * time.Second
	restTime    = 60 * time.Second
)

// What a run has at least.
const (
	operationsMin = 1000
	faultsMin     = 5
)

// Result is what a run was like.
type Result struct {
	Nodes, Operations, Acknowledged, Unknown int
	Faults, Crashes                          int
	Splits, Moves, Transfers, Snapshots      int
	Leads, Batches, Messages                 int
	// Compared counts the copies of partitions that were held against another one at the same index.
	Compared int
	Turns    int
	// Trace is a checksum of all that happened: two runs of a seed have the same.
	Trace uint64
}

// habits are what the seed makes this run like.
type habits struct {
	nodes, replicas, partitions, clients, keys int
	burst                                      int
	workers                                    int
	pause                                      time.Duration
	network                                    network.Habits
	stepDelay                                  time.Duration
	local                                      bool
	retention                                  multiraft.Retention
	lullEvery                                  time.Duration // 0 is never
}

// Run runs a seed to its end and returns what it was like, or what was wrong. log, unless it is nil, gets a line for everything
// that happens. One run at a time is made in a process.
func Run(seed uint64, log io.Writer) (Result, error) {
	w := &world{seed: seed}
	trace, err := timeline.Live(seed, 0x9e37, log, func(t *timeline.Timeline) error {
		w.Timeline = t
		w.draw()
		w.begin()
		err := w.live()
		w.Unwind()
		for _, n := range w.nodes {
			n.Leave()
		}
		return err
	})
	w.result.Faults, w.result.Crashes = w.Faults, w.Crashes
	w.result.Turns, w.result.Compared, w.result.Trace = w.Turns, w.sums.Compared, trace
	return w.result, err
}

func (w *world) draw() {
	pick := w.Pick
	h := habits{
		nodes: pick(3, 4, 4, 5), partitions: 1 + w.Random.IntN(3), clients: 3 + w.Random.IntN(5), keys: 8 + w.Random.IntN(24),
		burst: pick(1, 2, 4, 12), workers: pick(1, 1, 2),
		network: network.Habits{
			Delay:  time.Duration(pick(100, 500, 2000)) * time.Microsecond,
			Jitter: time.Duration(pick(100, 1000, 10_000)) * time.Microsecond,
			Loss:   pick(0, 0, 1, 3), Twice: pick(0, 0, 2), Late: pick(0, 0, 2),
		},
		stepDelay: time.Duration(pick(10, 200, 2000)) * time.Microsecond, local: w.Chance(30),
	}
	if w.Chance(70) {
		h.retention = multiraft.Retention{EntriesMin: uint64(pick(1, 10, 60)), BytesPatient: int64(pick(1, 5000, 50_000)), BytesMax: int64(pick(10_000, 100_000))}
	}
	if w.Chance(40) {
		h.lullEvery = w.Between(8*time.Second, 25*time.Second)
	}
	h.replicas = 3
	if h.nodes == 5 && w.Chance(30) {
		h.replicas = 5
	}
	// A client makes a burst, then pauses: together they are through with their operations when trouble ends.
	bursts := operationsMin * 3 / (1 + h.burst) / h.clients
	h.pause = troubleTime / time.Duration(max(1, bursts))
	if h.lullEvery > 0 {
		h.pause = h.pause / time.Millisecond * (h.lullEvery - lullTime) / (h.lullEvery / time.Millisecond)
	}
	w.habits, w.result.Nodes = h, h.nodes
}

// begin makes nodes and the first partitions.
func (w *world) begin() {
	w.Network = network.New(w.Timeline, w.habits.network, w.habits.nodes)
	w.Leader = func() *hardware.Machine {
		if n := w.anyLeader(); n != nil {
			return n.Machine
		}
		return nil
	}
	w.layout.begin(w)
	w.batches.begin(w)
	w.homes.begin(w)
	for range w.habits.nodes {
		w.nodes = append(w.nodes, newNode(w))
	}
	for _, n := range w.nodes {
		w.After(w.Between(0, 200*time.Millisecond), n.Start)
	}
}

// live is the whole of a run: clients among trouble, then rest, then the checks.
func (w *world) live() error {
	w.startAdopts()
	w.After(startTime, w.startClients)
	w.startTroubles()
	w.startChanges()
	w.startSums()
	limit := workTime + 10*restTime
	if !w.Run(w.worked, limit) {
		r := w.result
		return fmt.Errorf("in %s only %d operations, %d splits and %d moves were made", w.Now, r.Operations, r.Splits, r.Moves)
	}
	if w.Failed() != nil {
		return nil // Run tells
	}
	w.Heal()
	if !w.Run(func() bool { return w.clients == 0 }, w.Now+restTime) {
		return errors.New("the clients of a whole cluster get no answers")
	}
	if w.Failed() != nil {
		return nil
	}
	if w.Faults < faultsMin {
		return fmt.Errorf("only %d faults", w.Faults)
	}
	return w.finish()
}

// worked tells whether the run has been as long, and as much has happened in it, as a run shall have.
func (w *world) worked() bool {
	return w.Now >= workTime && w.result.Operations >= operationsMin && w.result.Splits+w.result.Moves > 0
}
