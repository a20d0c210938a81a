package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/base/metric"
)

// rotationFS is the file system as Pebble gets it but for tableFS, over every mending and every second try. It ends the store when a log
// cannot be ended or the next one cannot be begun, before Pebble learns of it: Pebble would panic where it has given up a
// mutex that a deferred call then unlocks, and Go ends a process for that with words of its own, past any recover.
type rotationFS struct {
	vfs.FS
	rotations *rotations
}

// rotations is whether logs that fail end the store: those of an open and of a close fail as the errors of these.
type rotations struct {
	health  *health
	watched atomic.Bool
	syncs   metric.Histogram // how long every sync of a log took
}

// failed ends the store. Where Options.Fatal returns, whoever rotates the log is parked, as Fatalf parks.
func (r *rotations) failed(doing string, err error) {
	if r.watched.Load() {
		r.health.stop(fmt.Errorf("%s: %w", doing, err))
	}
}

// Create implements vfs.FS.
func (s rotationFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, category)
	return s.begun(name, f, err)
}

// ReuseForWrite implements vfs.FS.
func (s rotationFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(oldName, newName, category)
	return s.begun(newName, f, err)
}

// Unwrap implements vfs.FS.
func (s rotationFS) Unwrap() vfs.FS { return s.FS }

func (s rotationFS) begun(name string, f vfs.File, err error) (vfs.File, error) {
	switch {
	case !strings.HasSuffix(name, logSuffix):
		return f, err
	case err != nil:
		s.rotations.failed("beginning a log", err)
		return nil, err
	}
	return &rotatedLog{File: f, rotations: s.rotations}, nil
}

// rotatedLog is a log file that remembers whether it failed. Pebble closes a log when it begins another one: that the file
// failed before is what it is about to panic for. (Until then a failed sync is its committers' to tell: see CommitNoWait.)
type rotatedLog struct {
	vfs.File
	rotations *rotations
	written   atomic.Bool
	fault     atomic.Pointer[error]
}

var errGivenUp = errors.New("its name could not be made durable")

func (l *rotatedLog) keep(err error) error {
	if err != nil {
		l.fault.CompareAndSwap(nil, &err)
	}
	return err
}

// Write implements vfs.File.
func (l *rotatedLog) Write(p []byte) (int, error) {
	l.written.Store(true)
	n, err := l.File.Write(p)
	return n, l.keep(err)
}

// Sync implements vfs.File.
func (l *rotatedLog) Sync() error { return l.keep(l.File.Sync()) }

// SyncData implements vfs.File. Pebble syncs what was committed with it.
func (l *rotatedLog) SyncData() error {
	began := time.Now()
	err := l.File.SyncData()
	l.rotations.syncs.Observe(time.Since(began))
	return l.keep(err)
}

// Close implements vfs.File. A log ends with a trailer: one that nothing was written to is given up, since the directory
// did not take its name.
func (l *rotatedLog) Close() error {
	_ = l.keep(l.File.Close())
	if fault := l.fault.Load(); fault != nil {
		l.rotations.failed("ending a log", *fault)
		return *fault
	}
	if !l.written.Load() {
		l.rotations.failed("beginning a log", errGivenUp)
	}
	return nil
}
