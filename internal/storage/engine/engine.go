// Package engine is one ordered, durable map from bytes to bytes in one directory. It does not know what the bytes
// mean; it alone knows Pebble.
package engine

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say where a store lies and what it may use. Zero values are defaults.
type Options struct {
	// Dir is the data directory; it is made when absent.
	Dir string
	// FS is the file system, nil the disk. In memory: vfs.NewMem() with any Dir.
	FS vfs.FS
	// CacheBytes bounds the caches of blocks and rows, MemtableBytes one memtable, of which at most MemtablesMax exist.
	CacheBytes, MemtableBytes int64
	// RowPrefix begins the keys whose values Get keeps one by one, in a share of CacheBytes; empty is none.
	RowPrefix []byte
	// ReserveBytes is the size of the reserve file (see Space): 0 is the smaller of 1 % of the disk and 256 MiB,
	// negative is none.
	ReserveBytes int64
	// Log gets Pebble's events; nil discards them.
	Log *slog.Logger
	// Volatile is a store that ends with the process: its log stays empty, and no commit waits for anything.
	Volatile bool
	// Existing refuses a directory that holds no store. ReadOnly does so too, and changes nothing on disk.
	Existing, ReadOnly bool
	// Ident is given to a new store, completed by a cluster id drawn from Random (nil is crypto/rand), node 1, and
	// members {node}. What of it is set must agree with that of an existing store, members excepted.
	Ident  Ident
	Random io.Reader
	// Creator is who a new FORMAT says wrote it: program and version.
	Creator string
	// Format is that of a new store, 0 the newest that is read. Reads is the newest that is read, 0 FormatVersion: a test
	// stands for a later release by it.
	Format, Reads int
	// Fatal is told the first failure that breaks the store, and does not return: nil logs one sentence and exits with
	// status 1. One that returns (in tests) leaves a store whose commits all fail; the goroutine that met the failure
	// within Pebble, in the background or in a commit that rotates the log, is then parked for ever, with what it holds.
	Fatal func(error)
}

// The defaults of Options. What a crash leaves in the log is at most what the memtables held, and the next open reads it and
// writes it out before the first answer: small ones keep that short.
const (
	CacheBytesDefault    = 64 << 20
	MemtableBytesDefault = 16 << 20
)

// Engine is an open store. Its methods may be called concurrently until Close.
type Engine struct {
	layout layout
	db     *pebble.DB
	lock   io.Closer
	health *health
	space  *Space
	events *events
	rows   *rows
	// balance is between rows and blocks.
	balance balance
	// compactions is when they run.
	compactions *compactions
	// rotations ends the store when its log cannot be rotated.
	rotations *rotations
	// tables is how the files of replacements are written, excises what those took out at once, and replacements counts
	// them.
	tables       tableOptions
	excises      excises
	replacements atomic.Uint64
	// readOnly, volatile, reads and release, which is Options.Creator, are set for good by Open.
	readOnly bool
	volatile bool
	reads    int
	release  string

	identMu sync.Mutex // guards what follows: whose the store is, and what FORMAT says
	ident   Ident
	format  int
	creator string

	closeOnce sync.Once
	closeErr  error
}

// Open opens the store in o.Dir, or makes it. Its typed errors are those of errors.go, each a sentence that says what
// to do.
func Open(o Options) (*Engine, error) {
	o = o.withDefaults()
	l := newLayout(o.FS, o.Dir)
	if err := l.prepare(o.Existing); err != nil {
		return nil, err
	}
	lock, err := l.take()
	if err != nil {
		return nil, err
	}
	e := &Engine{layout: l, lock: lock, health: newHealth(o), readOnly: o.ReadOnly, volatile: o.Volatile, reads: o.Reads, release: o.Creator}
	if err := e.open(o); err != nil {
		if e.db != nil {
			err = errors.Join(err, e.db.Close())
		}
		return nil, errors.Join(err, lock.Close())
	}
	e.rotations.watched.Store(!o.ReadOnly)
	return e, nil
}

// open brings the parts of a locked directory into being, in the order of layout's invariant.
func (e *Engine) open(o Options) error {
	version, creator, err := e.layout.readFormat()
	if err != nil {
		return err
	}
	if version > o.Reads {
		return &ErrFormat{Dir: o.Dir, Have: version, Want: o.Reads, Creator: creator}
	}
	isNew := version == 0
	if isNew {
		version, creator = o.Format, o.Creator
	}
	e.format, e.creator = version, creator
	if isNew && o.Existing {
		return &ErrAbsent{Dir: o.Dir}
	}
	if !o.ReadOnly {
		if err := e.layout.clear(); err != nil {
			return err
		}
	}
	e.space = newSpace(e.layout, o)
	e.events = newEvents(o.Log, e.health)
	e.rows = newRows(o)
	e.rotations = &rotations{health: e.health}
	e.events.memtables = func(n int64) { e.rows.leave(n-memtablesUsual, collected(o.MemtableBytes)) }
	options := e.pebbleOptions(o, version)
	options.ErrorIfNotExists = !isNew
	e.balance.begin(o, options.Cache)
	e.compactions = newCompactions(e.levels)
	options.Experimental.CompactionScheduler = e.compactions
	e.db, err = pebble.Open(e.layout.db, options)
	options.Cache.Unref() // the store has its own reference
	e.space.unflushed = func() int64 { return int64(e.db.Metrics().WAL.Size) }
	e.space.flush = func() { _, _ = e.db.AsyncFlush() } // its failure comes to events.backgroundError
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return &ErrDamaged{Dir: o.Dir, What: "its " + dbName + "/ is missing"}
	}
	if err != nil {
		return fmt.Errorf("opening the store in %s: %w", e.layout.db, corruption(err, e.layout.db))
	}
	e.tables = newTableOptions(e.db, options)
	e.events.opened()
	e.compactions.opened()
	if err := e.identify(o, isNew); err != nil {
		return err
	}
	if isNew {
		return e.layout.writeFormat(version, creator)
	}
	return nil
}

// identify reads the ident, or gives a new store one.
func (e *Engine) identify(o Options, isNew bool) error {
	ident, found, err := readIdent(e.db)
	if err != nil {
		return corruption(err, e.layout.db)
	}
	if !found && !isNew {
		return &ErrDamaged{Dir: o.Dir, What: "the store has lost its ident"}
	}
	// A first open that was interrupted may be made again under another name: nothing was written under the old one.
	if !found || isNew && !ident.expects(o.Ident) {
		if ident, err = newIdent(o.Ident, o.Random); err != nil {
			return err
		}
		if err := e.writeIdent(ident); err != nil {
			return err
		}
		// The name db/ in the directory must outlive a crash before FORMAT says that it is there.
		if err := syncDir(o.FS, o.Dir); err != nil {
			return err
		}
	}
	if !ident.expects(o.Ident) {
		return &ErrOtherStore{Dir: o.Dir, Have: ident, Want: o.Ident}
	}
	e.ident = ident
	return nil
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
		o.Dir = absolute(o.Dir)
	}
	o.Existing = o.Existing || o.ReadOnly
	if o.CacheBytes == 0 {
		o.CacheBytes = CacheBytesDefault
	}
	if o.MemtableBytes == 0 {
		o.MemtableBytes = MemtableBytesDefault
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Creator == "" {
		o.Creator = "stator"
	}
	if o.Reads == 0 {
		o.Reads = FormatVersion
	}
	if o.Format == 0 {
		o.Format = o.Reads
	}
	if o.Fatal == nil {
		o.Fatal = exit(cmp.Or(o.Log, slog.Default()))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// absolute is the name of a directory on disk that stays its name when the process goes to work elsewhere.
func absolute(dir string) string {
	if name, err := filepath.Abs(dir); err == nil && dir != "" {
		return name
	}
	return dir
}

// exit is the default of Options.Fatal. It speaks even when Pebble's events are discarded.
func exit(log *slog.Logger) func(error) {
	return func(err error) {
		log.Error("stopping: " + err.Error())
		os.Exit(1)
	}
}

// Get reads one key. The value is the caller's.
func (e *Engine) Get(key []byte) (value []byte, found bool, err error) { return e.GetInto(nil, key) }

// GetInto is Get into the memory of dst, if it has enough.
func (e *Engine) GetInto(dst, key []byte) (value []byte, found bool, err error) {
	p := e.rows.place(key)
	var writes uint64
	if p.shard != nil {
		if value, found, writes = p.shard.get(dst, p.hash, key); found {
			return value, true, nil
		}
	}
	if p.shard != nil {
		e.missed()
	}
	stored, closer, err := e.db.Get(key)
	value, found, err = e.got(dst, stored, closer, err)
	if p.shard != nil && found {
		p.shard.fill(p.hash, key, value, writes)
	}
	return value, found, err
}

// HeadBytes is how much of a value Head returns at least, if there is so much.
const HeadBytes = headBytes

// Head reads the beginning of a key's value: HeadBytes of it, or more, or all. It costs much less than Get where the key
// was read or written before.
func (e *Engine) Head(key []byte) (value []byte, found bool, err error) {
	p := e.rows.headPlace(key)
	if p.shard == nil {
		return e.Get(key)
	}
	value, found, known, writes := p.shard.head(make([]byte, 0, headBytes), p, key)
	if known {
		return value, found, nil
	}
	e.missed()
	stored, closer, err := e.db.Get(key)
	value, found, err = e.got(value, stored[:min(len(stored), headBytes)], closer, err)
	switch {
	case err != nil:
		return nil, false, err
	case found:
		p.shard.fillHead(p, value, writes)
	default:
		p.shard.fillHead(p, nil, writes)
	}
	return value, found, nil
}

// got copies what a Pebble get returned and releases it, and counts the get.
func (e *Engine) got(dst, stored []byte, closer io.Closer, err error) ([]byte, bool, error) {
	e.compactions.gets.Add(1)
	if err == pebble.ErrNotFound { //nolint:errorlint // Pebble returns this very value, and a miss is no place for a walk through wrappers
		return dst[:0], false, nil
	}
	if err != nil {
		return dst[:0], false, e.fault("reading a key", err)
	}
	dst = append(dst[:0], stored...)
	if err := closer.Close(); err != nil {
		return dst[:0], false, e.fault("reading a key", err)
	}
	return dst, true, nil
}

// Space is the store's watch over its disk.
func (e *Engine) Space() *Space { return e.space }

// Close ends the store. Every commit must have returned; iterators and snapshots that are still open are an error. A
// broken store is left as it is, its directory locked, until the process ends: to close it would be to write.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		if e.Broken() != nil {
			return
		}
		e.rotations.watched.Store(false)
		e.rows.close()
		if err := e.db.Close(); err != nil {
			e.closeErr = e.fault("closing the store", err)
		}
		e.closeErr = errors.Join(e.closeErr, e.space.close(), e.lock.Close())
	})
	return e.closeErr
}
