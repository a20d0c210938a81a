// Package disk is a file system in memory that a seed crashes: what was not synced is lost, or not. It does not know what
// its files hold.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrSync is what a sync answers that the plan lets fail.
var ErrSync = errors.New("the simulated disk failed a sync")

// Plan is what shall happen to a disk. Syncs are numbered from 1; 0 is never.
type Plan struct {
	// CrashAt takes the picture of a crash at the sync of this number: before it does anything or, with After, when it
	// has done everything and nobody knows yet.
	CrashAt int
	After   bool
	// FailAt is the sync of the log that fails, with every later one. (To a directory that cannot be synced the engine
	// answers by ending the process.)
	FailAt int
	// Seed decides what of the data that was not synced outlives a crash, as blocks of 4 KB and names in directories.
	Seed, Percent uint64
}

// Disk is a file system in memory that loses what was not synced when the machine stops.
//
// Between Hold and Release the log's syncs are answered and not performed, which spreads out what is one moment on a real
// disk: the engine shows a commit, its sync is under way, and the world can go on, read, or end.
type Disk struct {
	*vfs.MemFS
	plan Plan
	// picturing is held for writing while a picture is taken.
	picturing sync.RWMutex

	mu      sync.Mutex // guards what follows
	reached sync.Cond
	// opening counts every sync; later only those of the log, as compactions sync when they like. On a disk that was not empty they may do so
	// from the moment at which the store has read what it finds, and begins its log.
	opening, fresh bool
	holding        bool
	held           []*logFile
	// newest is the log that is written; synced tells that its sync was asked for since Hold.
	newest *logFile
	synced bool
	syncs  int
	// refused tells that a sync of the log failed.
	refused bool
	picture *vfs.MemFS
	// durable are the files whose content was synced since it was last written. A file that was synced and then got another
	// name keeps its content if the new name outlives a crash.
	durable map[string]bool
	// pictured is told, once, that the world ended.
	pictured func()
}

// New returns a disk over mem, to which plan happens; pictured is told, once, that it stopped.
func New(mem *vfs.MemFS, plan Plan, pictured func()) *Disk {
	names, err := mem.List("/")
	d := &Disk{
		MemFS: mem, plan: plan, opening: true, fresh: err == nil && len(names) == 0, durable: map[string]bool{}, pictured: pictured,
	}
	d.reached.L = &d.mu
	return d
}

// openingSyncs is about how many syncs it takes to open a store that has crashed.
const openingSyncs = 20

// Opened ends the counting of every sync. How many there were depends, after a crash, on how the engine's compactions come in
// between, so that later syncs are numbered from a fixed number on: a plan must mean the same each time.
func (d *Disk) Opened(first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opening = false
	if !first {
		d.syncs = openingSyncs
	}
}

// Syncs is how many syncs were counted so far.
func (d *Disk) Syncs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs
}

// CrashIn plans the crash anew: at the n-th sync from now on.
func (d *Disk) CrashIn(n int, after bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan.CrashAt, d.plan.After = d.syncs+n, after
}

// Hold answers the log's syncs without performing them, until ReachedLog has seen one.
func (d *Disk) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holding, d.synced = true, false
}

// ReachedLog waits until the log's sync was asked for since Hold: what stands in the log then does not depend on how
// goroutines of the engine were scheduled. The caller knows that there is something to sync.
func (d *Disk) ReachedLog() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.synced {
		d.reached.Wait()
	}
}

// Unhold lets syncs through again. Those that were held stay so.
func (d *Disk) Unhold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holding = false
}

// Release performs the syncs that were held.
func (d *Disk) Release() {
	d.mu.Lock()
	held := d.held
	d.held = nil
	d.mu.Unlock()
	for _, f := range held {
		f.perform()
	}
}

// sync is one sync of a file or directory: counted, maybe held, maybe the last one.
func (d *Disk) sync(f *logFile, perform func() error) error {
	d.mu.Lock()
	if f != nil && f == d.newest {
		d.synced = true
		defer d.reached.Broadcast()
	}
	if f != nil && d.failed() {
		d.refused = true
		d.mu.Unlock()
		return ErrSync
	}
	if f != nil && d.holding {
		if !slices.Contains(d.held, f) {
			d.held = append(d.held, f)
		}
		d.mu.Unlock()
		return nil
	}
	number := 0
	if f != nil || d.opening {
		d.syncs++
		number = d.syncs
	}
	d.mu.Unlock()
	return d.through(number, perform)
}

// Refuses tells whether a sync of the log has failed.
func (d *Disk) Refuses() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// failed tells whether this sync, the next to be counted, is one that fails. The caller holds mu.
func (d *Disk) failed() bool { return d.plan.FailAt > 0 && d.syncs+len(d.held)+1 >= d.plan.FailAt }

// through performs a sync, and takes the picture around it where the plan says so.
func (d *Disk) through(number int, perform func() error) error {
	d.mu.Lock()
	last, after := number > 0 && number == d.plan.CrashAt, d.plan.After
	d.mu.Unlock()
	if last && !after {
		d.Stop()
	}
	err := perform()
	if last && after {
		d.Stop()
	}
	return err
}

// Stop takes the picture of the disk as the next start finds it. Only the first one counts: the world has ended then,
// although it goes on for a moment.
func (d *Disk) Stop() *vfs.MemFS {
	d.mu.Lock()
	taken := d.picture
	d.mu.Unlock()
	if taken != nil {
		return taken
	}
	d.picturing.Lock()
	synced := d.MemFS.CrashClone(vfs.CrashCloneCfg{})
	all := d.MemFS.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	d.picturing.Unlock()
	m := survivors{disk: d, plan: d.plan, synced: synced, all: all, into: vfs.NewCrashableMem()}
	if err := m.directory("/"); err != nil {
		panic(fmt.Sprintf("disk: picturing a crash: %v", err))
	}
	d.mu.Lock()
	d.picture = m.into
	d.mu.Unlock()
	d.pictured()
	return m.into
}

// Crashed is the picture of a crash that the plan brought about, nil before.
func (d *Disk) Crashed() *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.picture
}

// survivors chooses what of the data that was not synced is there after a crash. The file system's own choice would
// follow the order of Go's maps; this one follows the seed. Each file draws by itself, by its kind and its place from the
// end among files of its kind: what stands in the log does not depend on how many tables a compaction had made by then.
type survivors struct {
	disk              *Disk
	plan              Plan
	synced, all, into *vfs.MemFS
}

func (s *survivors) directory(dir string) error {
	names, err := s.all.List(dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for i, name := range names {
		path := s.all.PathJoin(dir, name)
		_, missing := s.synced.Stat(path)
		random := s.random(names, i)
		if missing != nil && random.Uint64N(100) >= s.plan.Percent {
			continue
		}
		info, err := s.all.Stat(path)
		if err == nil && info.IsDir() {
			if err = s.into.MkdirAll(path, 0o755); err == nil {
				err = s.directory(path)
			}
		} else if err == nil {
			err = s.file(path, random)
		}
		if err != nil {
			return err
		}
	}
	opened, err := s.into.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}

// random is the chance of one of the sorted names of a directory.
func (s *survivors) random(names []string, at int) *rand.Rand {
	kind := kindOf(names[at])
	place := uint64(0)
	for _, later := range names[at+1:] {
		if kindOf(later) == kind {
			place++
		}
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(kind)) // a hash takes everything
	return rand.New(rand.NewPCG(s.plan.Seed, sum.Sum64()+place))
}

// kindOf is a file's name without its number.
func kindOf(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, name)
}

const blockBytes = 4096

// file writes one file as it is found: what was synced, with some of the newer blocks over it. Of the log the first of them,
// without a gap: the engine writes a block after the sync of the one before, and says so in it, since it was told that the
// sync is done when it was only held.
func (s *survivors) file(path string, random *rand.Rand) error {
	content, err := contentOf(s.synced, path)
	if err != nil {
		return err
	}
	all, err := contentOf(s.all, path)
	if err != nil {
		return err
	}
	if s.disk.knownOf(path) && !strings.HasSuffix(path, logSuffix) {
		content = all
	}
	for at := 0; at < len(all); at += blockBytes {
		block := all[at:min(at+blockBytes, len(all))]
		if at+len(block) <= len(content) && bytes.Equal(content[at:at+len(block)], block) {
			continue
		}
		if random.Uint64N(100) >= s.plan.Percent {
			if strings.HasSuffix(path, logSuffix) {
				break // see file
			}
			continue
		}
		if grow := at + len(block) - len(content); grow > 0 {
			content = append(content, make([]byte, grow)...)
		}
		copy(content[at:], block)
	}
	f, err := s.into.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// contentOf is a file's content, empty if there is none.
func contentOf(files *vfs.MemFS, path string) ([]byte, error) {
	f, err := files.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	content := make([]byte, info.Size())
	_, err = io.ReadFull(f, content)
	return content, errors.Join(err, f.Close())
}
