// Package sim is a database in one goroutine under a seed: clients, background work, splits, a clock and a disk that
// crashes, every step of them in an order that the seed replays. It knows nothing of sockets or of the API.
package sim

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/base/clock"
	"stator/internal/node"
	"stator/sim/coroutine"
	"stator/sim/disk"
	"stator/sim/history"
	"stator/sim/ledger"
	"stator/sim/shapes"
	"stator/sim/timeline"
)

// Options say what a run is like. The zero value but for Seed is an ordinary one.
type Options struct {
	Seed uint64
	// Operations of all clients together; 0 is operationsDefault.
	Operations int
	// Crashes is how often the machine stops at most: 0 is as the seed likes, negative is never.
	Crashes int
	// CrashAtSync stops the machine once more, at a sync of the first start: before it, or after it with AfterSync.
	CrashAtSync int
	AfterSync   bool
	// Calm leaves out splits, changes of tables and jumps of the clock.
	Calm bool
	// Bank has the clients move money instead of doing this and that.
	Bank *Bank
	// Log gets a line for everything that happens; nil is none.
	Log io.Writer

	// Durability is the node's: with node.Relaxed it answers before it has synced, which must be seen to fail.
	Durability node.Durability
	// Undurable has clients read the engine itself, which shows what is not durable and must be seen to fail.
	Undurable bool
}

const (
	operationsDefault = 150
	// turnsMax ends a run that does not come to rest.
	turnsMax   = 2_000_000
	crashesMax = 5
)

// Result is what a run was like.
type Result struct {
	Operations, Crashes, Splits, Indexes, Dropped int
	// Changes were read out of streams at rest.
	Changes int
	// Transactions are those that were answered, Committed those of them that were performed.
	Transactions, Committed int
	Turns, Syncs            int
	// Bank is what only happens in a bank: the steps of transactions that a failpoint saw, and the reads of all accounts.
	Bank struct{ Passes, Audits int }
	// Trace is a checksum of all that happened: two runs of a seed have the same.
	Trace uint64
}

// run is one run of the simulator.
type run struct {
	options Options
	random  *rand.Rand
	clock   *clock.Manual
	world   *world
	history history.History
	ledger  ledger.Ledger
	draw    shapes.Draw
	habits  habits

	left    int // operations that no client has begun
	crashes int // crashes that are left
	nextAt  int // the turn of the next crash that no sync brings about
	starts  uint64
	result  Result
	trace   io.Writer
	sum     interface{ Sum64() uint64 }
	failed  error
}

// habits are what the seed makes this run like: weights of what may happen next, sizes and frequencies.
type habits struct {
	resume, execute, commit, settle int
	clients, burst                  int
	partitions                      int
	crashEvery                      int
	memtableBytes                   int64
	pauseMillis                     int64
}

// Run runs a seed to its end and returns what it was like, or what was wrong.
func Run(o Options) (Result, error) {
	sum := fnv.New64a()
	r := &run{options: o, random: rand.New(rand.NewPCG(o.Seed, 0x5eed)), sum: sum, trace: sum}
	if o.Log != nil {
		r.trace = io.MultiWriter(sum, o.Log)
	}
	// The clock begins at a moment that has nothing to do with today's.
	r.clock = clock.NewManual(time.UnixMilli(1_800_000_000_000 + int64(r.random.IntN(1_000_000))))
	r.drawHabits()
	err := r.loop()
	r.result.Trace = r.sum.Sum64()
	if err != nil {
		return r.result, fmt.Errorf("seed %d: %w", o.Seed, err)
	}
	return r.result, nil
}

func (r *run) drawHabits() {
	weights := []int{1, 1, 2, 4, 16}
	weight := func() int { return weights[r.random.IntN(len(weights))] }
	r.habits = habits{
		resume: weight(), execute: weight(), commit: weight(), settle: weight(),
		clients: 2 + r.random.IntN(5), burst: 1 + r.random.IntN(1+r.random.IntN(20)),
		partitions: 1 + r.random.IntN(3), crashEvery: 300 + r.random.IntN(6000),
		memtableBytes: 64 << 10 << r.random.IntN(6), pauseMillis: 1 + r.random.Int64N(50),
	}
	r.draw = shapes.Draw{Random: r.random, Keys: 2 + r.random.IntN(6)}
	if r.left = r.options.Operations; r.left == 0 {
		r.left = operationsDefault
	}
	r.crashes = r.options.Crashes
	if r.crashes == 0 {
		r.crashes = r.random.IntN(crashesMax + 1)
	}
	r.options.Bank.draw(r)
	r.nextAt = 1 + r.random.IntN(r.habits.crashEvery)
}

// loop lives through one world after the other until one comes to rest.
func (r *run) loop() error {
	files := vfs.NewCrashableMem()
	for {
		if r.starts++; r.starts > 100 {
			return errors.New("the database did not start after so many crashes")
		}
		w, err := r.begin(files)
		if err == nil && !w.over() {
			err = w.live()
		}
		if err != nil || r.failed != nil {
			w.leave()
			return errors.Join(err, r.failed)
		}
		if !w.over() {
			r.result.Syncs += w.disk.Syncs()
			return errors.Join(w.close(), r.history.Check(), r.ledger.Check())
		}
		files = w.end()
		r.result.Crashes++
	}
}

// begin starts the database on what a crash left, or on nothing. An error while the world was already over is no error:
// whatever the database met there had no consequence.
func (r *run) begin(files *vfs.MemFS) (*world, error) {
	w := &world{run: r, set: coroutine.Set{Failed: r.fail}}
	r.world = w
	w.disk = disk.New(files, r.plan(), func() { r.history.Stop() })
	var err error
	w.node, err = node.Assemble(node.Options{
		Data: dataDir, FS: w.disk, MemtableBytes: r.habits.memtableBytes, CacheBytes: cacheBytes, DiskReserve: -1,
		Durability: r.options.Durability, Clock: r.clock, Random: timeline.NewBytes(r.options.Seed, r.starts), Creator: "sim",
		Wait: w.wait, Pause: w.pause, Fatal: w.fatal, Failpoint: r.failpoint(),
		Broken: func(partition uint64, err error) {
			r.fail(fmt.Errorf("partition %d broke: %w", partition, err))
		},
	})
	if err != nil {
		if errors.Is(err, disk.ErrSync) {
			w.fatal(err)
		}
		if w.over() {
			return w, nil
		}
		return w, fmt.Errorf("opening the store: %w", err)
	}
	w.disk.Opened(r.starts == 1)
	return w, w.recover()
}

const (
	dataDir    = "/data"
	cacheBytes = 1 << 20
)

// plan draws what happens to the disk until the next start.
func (r *run) plan() disk.Plan {
	p := disk.Plan{Seed: r.random.Uint64(), Percent: []uint64{0, 0, 50, 90, 100}[r.random.IntN(5)]}
	switch {
	case r.starts == 1 && r.options.CrashAtSync > 0:
		p.CrashAt, p.After = r.options.CrashAtSync, r.options.AfterSync
	case r.crashes > 0 && r.random.IntN(2) == 0:
		p.CrashAt, p.After = 1+r.random.IntN(120), r.random.IntN(2) == 0
	case r.crashes > 0 && r.random.IntN(8) == 0:
		p.FailAt = 20 + r.random.IntN(60)
	}
	return p
}

// fail remembers the first thing that was wrong.
func (r *run) fail(err error) {
	if r.failed == nil && err != nil {
		r.failed = err
	}
}

// note adds a line to the trace.
func (r *run) note(format string, args ...any) {
	if r.world != nil && r.world.over() {
		return
	}
	fmt.Fprintf(r.trace, "%d "+format+"\n", append([]any{r.result.Turns}, args...)...)
}
