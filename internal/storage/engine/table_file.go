package engine

import (
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const tableSuffix = ".sst"

// tableWriteBytes is what is gathered of a table before it is written to its file. Pebble writes block by block, and a
// system call for every four kilobytes was a fifth of what a put with a stream cost. It stays far behind the last
// megabyte, of which Pebble does not ask that it be on its way to the disk (vfs.SyncTo).
const tableWriteBytes = 128 << 10

// tableReadBytes is what a compaction, or a scan that has gone far, has of each of the tables that it reads. Pebble asks block by
// block: with a system call for each a batch of puts cost a twentieth more.
const tableReadBytes = 64 << 10

var tableBuffers, tablePieces = buffers(tableWriteBytes), buffers(tableReadBytes)

// buffers is a pool of empty *[]byte of one size.
func buffers(bytes int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, 0, bytes)
		return &b
	}}
}

// tableFS is a file system on which tables are written in large pieces, and read in such from beginning to end.
type tableFS struct{ vfs.FS }

// Create implements vfs.FS.
func (s tableFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, category)
	if err != nil || !strings.HasSuffix(name, tableSuffix) {
		return f, err
	}
	return &tableFile{File: f, gathered: tableBuffers.Get().(*[]byte)}, nil
}

// Open implements vfs.FS.
func (s tableFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := s.FS.Open(name, opts...)
	if err != nil || !strings.HasSuffix(name, tableSuffix) || !slices.Contains(opts, vfs.SequentialReadsOption) {
		return f, err
	}
	return &tableStream{File: f, piece: tablePieces.Get().(*[]byte)}, nil
}

// Unwrap implements vfs.FS.
func (s tableFS) Unwrap() vfs.FS { return s.FS }

// tableFile is a table on its way to its file. It is written from the beginning to the end by one goroutine, then synced,
// closed and never written again; nobody reads it before.
type tableFile struct {
	vfs.File
	gathered *[]byte // nil once it is closed
}

// Write implements vfs.File. A failure may be that of an earlier piece.
func (t *tableFile) Write(p []byte) (int, error) {
	if len(*t.gathered)+len(p) > tableWriteBytes {
		if err := t.flush(); err != nil {
			return 0, err
		}
	}
	if len(p) > tableWriteBytes {
		return t.File.Write(p)
	}
	*t.gathered = append(*t.gathered, p...)
	return len(p), nil
}

func (t *tableFile) flush() error {
	if t.gathered == nil || len(*t.gathered) == 0 {
		return nil
	}
	_, err := t.File.Write(*t.gathered)
	*t.gathered = (*t.gathered)[:0]
	return err
}

// Sync implements vfs.File.
func (t *tableFile) Sync() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.File.Sync()
}

// SyncData implements vfs.File.
func (t *tableFile) SyncData() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.File.SyncData()
}

// Close implements vfs.File.
func (t *tableFile) Close() error {
	err := t.flush()
	if t.gathered != nil {
		tableBuffers.Put(t.gathered)
		t.gathered = nil
	}
	if closed := t.File.Close(); err == nil {
		err = closed
	}
	return err
}

// tableStream is a table that one goroutine reads from beginning to end, by ReadAt.
type tableStream struct {
	vfs.File
	piece  *[]byte // what is in memory; nil once it is closed
	offset int64   // of the piece
}

// ReadAt implements vfs.File.
func (t *tableStream) ReadAt(p []byte, offset int64) (int, error) {
	if len(p) > tableReadBytes {
		return t.File.ReadAt(p, offset)
	}
	from := offset - t.offset
	if from < 0 || from+int64(len(p)) > int64(len(*t.piece)) {
		n, err := t.File.ReadAt((*t.piece)[:tableReadBytes], offset)
		*t.piece, t.offset, from = (*t.piece)[:n], offset, 0
		if n < len(p) {
			return copy(p, *t.piece), err
		}
	}
	return copy(p, (*t.piece)[from:]), nil
}

// Close implements vfs.File.
func (t *tableStream) Close() error {
	if t.piece != nil {
		*t.piece = (*t.piece)[:0]
		tablePieces.Put(t.piece)
		t.piece = nil
	}
	return t.File.Close()
}
