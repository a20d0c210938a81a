package engine

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is the file system a store lies on.
type FS = vfs.FS

// Memory is an empty file system that ends with the process.
func Memory() FS { return vfs.NewMem() }

// The names Pebble gives its files: a marker keeps in its own name which manifest or format is in force.
const (
	markerPrefix = "marker."
	logSuffix    = ".log"
)

// logStepBytes is how far ahead of its writes a log file is written with zeros.
const logStepBytes = 256 << 10

// storeFS is the innermost of what is between Pebble and the file system: two of its habits are mended here.
type storeFS struct{ vfs.FS }

// Create implements vfs.FS. It makes the names in a directory durable before a marker comes to speak of one of them: Pebble
// syncs the directory only after it has made the marker, so a crash just before could keep the marker and forget the name of
// the manifest, and the store would not open any more. (Journalling file systems keep names in order; no standard says
// they must.)
func (s storeFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(s.PathBase(name), markerPrefix) {
		if err := syncDir(s.FS, s.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return stepped(name)(s.FS.Create(name, category))
}

// ReuseForWrite implements vfs.FS.
func (s storeFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return stepped(newName)(s.FS.ReuseForWrite(oldName, newName, category))
}

// Unwrap implements vfs.FS.
func (s storeFS) Unwrap() vfs.FS { return s.FS }

// stepped makes a log file allocate in steps and leaves other files alone.
func stepped(name string) func(vfs.File, error) (vfs.File, error) {
	return func(f vfs.File, err error) (vfs.File, error) {
		if err != nil || !strings.HasSuffix(name, logSuffix) {
			return f, err
		}
		var ready int64
		if info, err := f.Stat(); err == nil {
			ready = info.Size()
		}
		return &steppedLog{File: f, ready: ready}, nil
	}
}

// steppedLog is a log file whose bytes exist a step ahead of its writes, as zeros: a sync of bytes that a file did not have yet makes
// its new size or blocks durable too, with a write of their own, and takes a fifth to a third longer. (A log that is reused has the
// bytes of the one before.) Pebble would allocate blocks, and more than a whole memtable's worth with the first byte of each of
// the four or five logs that it keeps: a new store would take 35 MB of disk for its first item.
type steppedLog struct {
	vfs.File
	written, ready int64
}

var zeros [logStepBytes]byte

// Preallocate implements vfs.File and does nothing: Write goes ahead.
func (l *steppedLog) Preallocate(_, _ int64) error { return nil }

// Write implements vfs.File. A step that fails is no fault: the write then finds its room itself, or fails.
func (l *steppedLog) Write(p []byte) (int, error) {
	for l.written+int64(len(p)) > l.ready {
		_, _ = l.File.WriteAt(zeros[:], l.ready)
		l.ready += logStepBytes
	}
	n, err := l.File.Write(p)
	l.written += int64(n)
	return n, err
}
