package node

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"stator/internal/base/clock"
	"stator/internal/base/trace"
	"stator/internal/jobs/split"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// Durability says when a write is answered.
type Durability string

// The durabilities.
const (
	// Synced: once it is on disk.
	Synced Durability = "synced"
	// Relaxed: once it is in memory; it is on disk at most relaxedSyncEvery later.
	Relaxed Durability = "relaxed"
)

// Options say what the node keeps and where.
type Options struct {
	Data     string
	InMemory bool
	// Partitions of a new table; 0 is as its billing mode asks.
	Partitions  int
	Durability  Durability
	CacheBytes  int64
	DiskReserve int64
	Region      string
	Account     string
	// Address is what DescribeEndpoints answers with.
	Address string
	Creator string
	Log     *slog.Logger
	Clock   clock.Clock
	Random  io.Reader
	// Capacity is CapacityOff if it is empty.
	Capacity Capacity
	// Membership makes the node one of a cluster; nil is a node that is alone.
	Membership *Membership
	// Fatal is told that the store is broken, and does not return; nil exits the process.
	Fatal func(error)
	// Broken is told that a partition's copy was taken out of service; nil only logs it.
	Broken func(partition uint64, err error)
	// SplitBytes is how large a partition becomes before it is split; 0 is split.BytesMax.
	SplitBytes int64
	// FS is the file system of Data, nil the machine's; MemtableBytes is the store's, 0 its default.
	FS            engine.FS
	MemtableBytes int64
	// Wait and Pause let time pass for whoever asked for something and cannot go on; nil blocks the goroutine. A
	// simulator runs the rest of its world meanwhile.
	Wait  replica.Wait
	Pause func(ctx context.Context, d time.Duration) error

	// Steady is a clock that never jumps; nil is the process's own. Within bounds what is waited for by it, and After calls
	// something later.
	Steady func() time.Duration
	Within func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	After  func(d time.Duration, call func())

	// Traces records where the time of other nodes' requests goes that came with a position in a trace; nil is nobody.
	Traces trace.Recorder

	// Failpoint is called before each step of a transaction (package txn); nil is none.
	Failpoint func(step string) error

	// fanOut is how many partitions of one scan are read side by side: one where the caller of Wait is alone.
	fanOut int
	// reads is the newest format that the node reads, 0 the release's: a test stands for a later release by it.
	reads int
}

// synced tells whether a write is answered when it is on disk.
func (o *Options) synced() bool { return o.Durability == Synced && !o.InMemory }

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Capacity == "" {
		o.Capacity = CapacityOff
	}
	if o.Durability == "" {
		o.Durability = Synced
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.SplitBytes == 0 {
		o.SplitBytes = split.BytesMax
	}
	if o.Wait == nil {
		o.Wait, o.fanOut = replica.WaitOnChannel, scanFanOut
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	if o.Within == nil {
		o.Within = context.WithTimeout
	}
	if o.After == nil {
		o.After = func(d time.Duration, call func()) { time.AfterFunc(d, call) }
	}
	if o.reads == 0 {
		o.reads = engine.FormatVersion
	}
	return o
}

func (o Options) engine() engine.Options {
	options := engine.Options{
		Dir: o.Data, FS: o.FS, RowPrefix: []byte{byte(keys.SpaceData)}, CacheBytes: o.CacheBytes, MemtableBytes: o.MemtableBytes, ReserveBytes: o.DiskReserve,
		Log: o.Log, Random: o.Random, Creator: o.Creator, Fatal: o.Fatal, Reads: o.reads,
	}
	if o.InMemory {
		options.FS, options.Dir, options.Volatile = engine.Memory(), "memory", true
	}
	return options
}
