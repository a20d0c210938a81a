package solo_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

const (
	crashPartitions = 3
	crashWriters    = 4
)

// counters is a table of one key attribute.
func counters() *table.Table {
	return &table.Table{ID: 100, Name: "counters", Version: 1, State: table.Active,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}}
}

// process is partitions over one committer, each thing with its goroutine, as a node has them.
type process struct {
	engine   *engine.Engine
	replicas []*replica.Replica
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func start(t *testing.T, fs vfs.FS) *process {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: "store", FS: fs, Fatal: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{engine: e, stop: stop}
	committing := make(chan struct{}, 1)
	committer := solo.NewCommitter(e, true, raise(committing))
	p.loop(ctx, committing, func() bool { committer.Step(); return committer.Settle() })
	for id := range uint64(crashPartitions) {
		p.open(ctx, t, committer, id+10)
	}
	return p
}

// open brings up a partition, which is born if it is not stored.
func (p *process) open(ctx context.Context, t *testing.T, committer *solo.Committer, id uint64) {
	t.Helper()
	state, found, err := machine.Load(p.engine, id)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		state = machine.Born(id, 100, command.Bounds{})
		state.Table = counters()
		if err := solo.Birth(p.engine, []machine.Part{state}, true); err != nil {
			t.Fatal(err)
		}
	}
	work := make(chan struct{}, 1)
	log := solo.NewLog(committer)
	r := replica.New(replica.Options{
		Partition: id, Engine: p.engine, Log: log, Wake: raise(work), NowMillis: func() int64 { return 1 },
		Performed: func(machine.Batch, machine.Part) {}, Broken: func(err error) { t.Error(err) },
	})
	log.Keep(r, state)
	p.replicas = append(p.replicas, r)
	p.loop(ctx, work, r.Step)
}

func (p *process) loop(ctx context.Context, asked chan struct{}, step func() bool) {
	p.running.Go(func() {
		for {
			select {
			case <-asked:
				for step() {
					continue
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

func raise(c chan struct{}) func() {
	return func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (p *process) end(t *testing.T) {
	t.Helper()
	p.stop()
	p.running.Wait()
	if err := p.engine.Close(); err != nil {
		t.Error(err)
	}
}

// What was answered, and what any read showed, is there after a crash that takes everything that was not synced.
func TestCrashKeepsWhatWasAnswered(t *testing.T) {
	for seed := range 3 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			fs := vfs.NewCrashableMem()
			p := start(t, fs)
			known := make([]atomic.Int64, crashPartitions*crashWriters)
			stop := p.count(t, known)
			time.Sleep(time.Duration(20+10*seed) * time.Millisecond)
			floor := make([]int64, len(known))
			for i := range known {
				floor[i] = known[i].Load()
			}
			crashed := fs.CrashClone(vfs.CrashCloneCfg{})
			stop()
			p.end(t)
			again := start(t, crashed)
			defer again.end(t)
			for i := range known {
				if got := again.read(t, i); got < floor[i] {
					t.Errorf("counter %d is %d after the crash, %d was answered", i, got, floor[i])
				}
			}
		})
	}
}

// count raises counters, two writers a partition each on its own, and reads them; known holds the highest value shown.
func (p *process) count(t *testing.T, known []atomic.Int64) (stop func()) {
	one := attr.NewMap([]attr.Entry{{Name: ":one", Value: attr.Int(1)}})
	update, err := expr.ParseUpdate("ADD n :one", expr.NewNames(nil, one))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range known {
		running.Go(func() {
			for ctx.Err() == nil {
				c := &command.Command{Action: command.Update, Table: 100, TableVersion: 1, Key: counterKey(i),
					Item: attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(fmt.Sprint(i))}}), Update: update}
				r, err := p.replicas[i%crashPartitions].WriteAndWait(ctx, replica.WaitOnChannel, c)
				if err == nil {
					raiseTo(&known[i], number(r.After))
				}
			}
		})
		running.Go(func() {
			for ctx.Err() == nil {
				raiseTo(&known[i], p.read(t, i))
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

func (p *process) read(t *testing.T, i int) int64 {
	g := &command.Get{Table: 100, TableVersion: 1, Key: counterKey(i)}
	r, err := p.replicas[i%crashPartitions].ReadAndWait(context.Background(), replica.WaitOnChannel, g)
	if err != nil {
		t.Error(err)
	}
	return number(r.Item)
}

func raiseTo(known *atomic.Int64, n int64) {
	for {
		was := known.Load()
		if was >= n || known.CompareAndSwap(was, n) {
			return
		}
	}
}

func counterKey(i int) []byte { return keys.Suffix([]attr.Value{attr.String(fmt.Sprint(i))}, nil) }

func number(item attr.Map) (n int64) {
	if v, ok := item.Get("n"); ok {
		if _, err := fmt.Sscan(string(v.Number().Append(nil)), &n); err != nil {
			panic(err)
		}
	}
	return n
}
