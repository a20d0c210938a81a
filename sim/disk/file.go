package disk

import (
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logSuffix ends the name of an engine's log.
const logSuffix = ".log"

// compaction is what the engine writes a table for that comes of others, beside all that it was asked for.
const compaction = "pebble-compaction"

// openFile is a file whose syncs the disk knows of. What changes a file waits while a picture is taken.
type openFile struct {
	vfs.File
	disk *Disk
	name string
}

// beside is a file that is written in nobody's order: its syncs are not counted.
type beside struct{ openFile }

func (f *beside) Sync() error     { return f.durable() }
func (f *beside) SyncData() error { return f.durable() }

// logFile is the engine's log: the file whose sync makes writes durable.
type logFile struct{ openFile }

func (d *Disk) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(name, logSuffix) {
		return &openFile{File: f, disk: d, name: name}, nil
	}
	log := &logFile{openFile{File: f, disk: d, name: name}}
	d.mu.Lock()
	d.newest, d.synced = log, false
	d.opening = d.opening && d.fresh
	d.mu.Unlock()
	return log, nil
}

func (f *openFile) Write(p []byte) (int, error) {
	f.disk.picturing.RLock()
	defer f.disk.picturing.RUnlock()
	f.disk.knows(f.name, false)
	return f.File.Write(p)
}

func (f *openFile) WriteAt(p []byte, at int64) (int, error) {
	f.disk.picturing.RLock()
	defer f.disk.picturing.RUnlock()
	f.disk.knows(f.name, false)
	return f.File.WriteAt(p, at)
}

func (f *openFile) Sync() error     { return f.disk.sync(nil, f.durable) }
func (f *openFile) SyncData() error { return f.disk.sync(nil, f.durable) }

func (f *openFile) durable() error {
	f.disk.picturing.RLock()
	defer f.disk.picturing.RUnlock()
	err := f.File.Sync()
	if err == nil {
		f.disk.knows(f.name, true)
	}
	return err
}

func (f *logFile) Sync() error     { return f.disk.sync(f, f.durable) }
func (f *logFile) SyncData() error { return f.disk.sync(f, f.durable) }

// perform makes a sync real that was held.
func (f *logFile) perform() {
	d := f.disk
	d.mu.Lock()
	d.syncs++
	number := d.syncs
	d.mu.Unlock()
	if err := d.through(number, f.durable); err != nil {
		panic("disk: a held sync failed: " + err.Error())
	}
}

// Close performs what was held: afterwards there is no file to sync.
func (f *logFile) Close() error {
	d := f.disk
	d.mu.Lock()
	held := false
	for i, h := range d.held {
		if h == f {
			d.held = append(d.held[:i], d.held[i+1:]...)
			held = true
			break
		}
	}
	d.mu.Unlock()
	if held {
		f.perform()
	}
	return f.File.Close()
}

// Create implements vfs.FS.
func (d *Disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	d.knows(name, false)
	f, err := d.MemFS.Create(name, c)
	if err == nil && c == compaction {
		return &beside{openFile{File: f, disk: d, name: name}}, nil
	}
	return d.wrap(name, f, err)
}

// ReuseForWrite implements vfs.FS.
func (d *Disk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	d.knows(old, false)
	d.knows(name, false)
	f, err := d.MemFS.ReuseForWrite(old, name, c)
	return d.wrap(name, f, err)
}

// OpenReadWrite implements vfs.FS.
func (d *Disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	f, err := d.MemFS.OpenReadWrite(name, c, o...)
	return d.wrap(name, f, err)
}

// OpenDir implements vfs.FS.
func (d *Disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.MemFS.OpenDir(name)
	return d.wrap(name, f, err)
}

// Link implements vfs.FS.
func (d *Disk) Link(old, name string) error {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	d.knows(name, d.knownOf(old))
	return d.MemFS.Link(old, name)
}

// Rename implements vfs.FS.
func (d *Disk) Rename(old, name string) error {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	d.knows(name, d.knownOf(old))
	d.knows(old, false)
	return d.MemFS.Rename(old, name)
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	return d.MemFS.Remove(name)
}

// RemoveAll implements vfs.FS.
func (d *Disk) RemoveAll(name string) error {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	return d.MemFS.RemoveAll(name)
}

// MkdirAll implements vfs.FS.
func (d *Disk) MkdirAll(name string, mode os.FileMode) error {
	d.picturing.RLock()
	defer d.picturing.RUnlock()
	return d.MemFS.MkdirAll(name, mode)
}

// Unwrap keeps the engine from looking behind the disk.
func (d *Disk) Unwrap() vfs.FS { return nil }

// knows notes whether all of a file's content is durable, whatever becomes of its name.
func (d *Disk) knows(name string, durable bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if durable {
		d.durable[name] = true
	} else {
		delete(d.durable, name)
	}
}

func (d *Disk) knownOf(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.durable[name]
}
