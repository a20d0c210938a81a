package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Replacement puts new keys in the place of all that several spans hold, in one step that is atomic and durable however
// much it is: the keys are written beside the store, into files that the store then takes over. It is used by one
// goroutine.
//
// Pebble takes one span out of the store for nothing (an excise), and that is the one that holds the most. The files of
// every other span open with a deletion of their own tile: the tiles of a span join without a gap and without an overlap,
// so the files may all go in at once.
//
// Invariant: until Perform nothing of it can be seen, and no crash leaves anything of it but files, which the next open
// removes.
type Replacement struct {
	e            *Engine
	fileBytesMax uint64
	number       uint64
	paths        []string
	excised      span
	spans        []span
	// file is the tile being written, nil between spans; at is where it begins, last the last key set in its span.
	file     *sstable.Writer
	at, last []byte
}

// span is what lies in [lower, upper).
type span struct{ lower, upper []byte }

func (s span) overlaps(o span) bool {
	return bytes.Compare(s.lower, o.upper) < 0 && bytes.Compare(o.lower, s.upper) < 0
}

// NewReplacement begins one. A file ends with the key that makes it larger than so many bytes. Close it when it is done
// with, performed or not.
func (e *Engine) NewReplacement(fileBytesMax uint64) (*Replacement, error) {
	if err := e.writable(); err != nil {
		return nil, err
	}
	if err := e.layout.fs.MkdirAll(e.layout.incoming, dirMode); err != nil {
		return nil, fmt.Errorf("making room for new keys: %w", err)
	}
	return &Replacement{e: e, fileBytesMax: fileBytesMax, number: e.replacements.Add(1)}, nil
}

// Excise ends the span before it and begins that of [lower, upper), of which a replacement has one at most: what is there
// goes without being read or written.
func (r *Replacement) Excise(lower, upper []byte) error {
	if err := r.end(); err != nil {
		return err
	}
	if r.excised.lower != nil {
		misused(errors.New("a second excise"))
	}
	r.begin(lower, upper)
	r.excised = r.current()
	return nil
}

// Span ends the span before it and begins that of [lower, upper). Spans do not overlap; their order is free.
func (r *Replacement) Span(lower, upper []byte) error {
	if err := r.end(); err != nil {
		return err
	}
	r.begin(lower, upper)
	return nil
}

func (r *Replacement) begin(lower, upper []byte) {
	if upper == nil {
		upper = endOfStore
	}
	s := span{lower: bytes.Clone(lower), upper: bytes.Clone(upper)}
	if bytes.Compare(lower, upper) >= 0 {
		misused(fmt.Errorf("a span from %x to %x", lower, upper))
	}
	for _, other := range r.spans {
		if s.overlaps(other) {
			misused(fmt.Errorf("the spans from %x and from %x overlap", lower, other.lower))
		}
	}
	r.spans = append(r.spans, s)
	r.at, r.last = s.lower, nil
}

// current is the span that was begun last.
func (r *Replacement) current() span { return r.spans[len(r.spans)-1] }

// isExcised tells whether the current span is the one that is taken out for nothing.
func (r *Replacement) isExcised() bool {
	return r.excised.lower != nil && bytes.Equal(r.excised.lower, r.current().lower)
}

// Set puts a key into the current span. Keys come in order.
func (r *Replacement) Set(key, value []byte) error {
	if s := r.current(); bytes.Compare(key, s.lower) < 0 || bytes.Compare(key, s.upper) >= 0 || r.last != nil && bytes.Compare(key, r.last) <= 0 {
		misused(fmt.Errorf("the key %x after %x in the span from %x to %x", key, r.last, s.lower, s.upper))
	}
	if r.file != nil && r.file.Raw().EstimatedSize() >= r.fileBytesMax {
		if err := r.endFile(key); err != nil {
			return err
		}
	}
	if err := r.beginFile(); err != nil {
		return err
	}
	r.last = append(r.last[:0], key...)
	if err := r.file.Set(key, value); err != nil {
		return fmt.Errorf("writing a file of new keys: %w", err)
	}
	return nil
}

// beginFile opens the next tile's file, if none is open.
func (r *Replacement) beginFile() error {
	if r.file != nil {
		return nil
	}
	name := fmt.Sprintf("%d-%d.sst", r.number, len(r.paths))
	path := r.e.layout.fs.PathJoin(r.e.layout.incoming, name)
	// Not the file system that Pebble has: that gives the reserve up for a file which need not be written.
	f, err := tableFS{r.e.layout.fs}.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("beginning a file of new keys: %w", err)
	}
	r.paths = append(r.paths, path)
	f = vfs.NewSyncingFile(f, vfs.SyncingFileOptions{BytesPerSync: tableSyncBytes})
	options := r.e.tables.tile
	if r.isExcised() {
		options = r.e.tables.excised
	}
	r.file = sstable.NewWriter(objstorageprovider.NewFileWritable(f), options)
	return nil
}

// endFile ends the open tile before upper and syncs its file.
func (r *Replacement) endFile(upper []byte) error {
	w := r.file
	r.file = nil
	var err error
	if !r.isExcised() {
		// Of one file's keys, the deletion hides none: it has their sequence number, and hides what is below.
		err = w.DeleteRange(r.at, upper)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("writing a file of new keys: %w", err)
	}
	written, err := w.Metadata()
	if err != nil {
		return fmt.Errorf("writing a file of new keys: %w", err)
	}
	r.e.space.take(int64(written.Size))
	r.at = bytes.Clone(upper)
	return nil
}

// end ends the current span, if there is one: what follows its last key is a part of the last tile.
func (r *Replacement) end() error {
	if len(r.spans) == 0 || bytes.Equal(r.at, r.current().upper) {
		return nil
	}
	if r.file == nil && r.isExcised() {
		r.at = r.current().upper
		return nil
	}
	if err := r.beginFile(); err != nil {
		return err
	}
	return r.endFile(r.current().upper)
}

// Seal ends the last span. All files are synced then, and Perform does little more.
func (r *Replacement) Seal() error { return r.end() }

// Perform replaces what the spans hold. It returns when that is durable, with all that was committed before it; readers
// see all of it or nothing. When it fails, nothing of it happened.
//
// A snapshot that is older loses what the excised span held: it fails with ErrReplaced there.
func (r *Replacement) Perform() error {
	if err := r.Seal(); err != nil {
		return err
	}
	// What was committed before lies in the log only, and the manifest, which takes the files, is synced apart from it: a
	// crash could keep the later and lose the earlier.
	if err := r.e.Sync(); err != nil {
		return err
	}
	number := r.e.excises.begin(r.excised)
	defer r.e.excises.end(number)
	excised := pebble.KeyRange{Start: r.excised.lower, End: r.excised.upper}
	if _, err := r.e.db.IngestAndExcise(context.Background(), r.paths, nil, nil, excised); err != nil {
		return r.e.fault("taking over files of new keys", err)
	}
	for _, s := range r.spans {
		r.e.rows.forget(s)
	}
	return r.e.Broken()
}

// Close removes what files there still are.
func (r *Replacement) Close() error {
	var err error
	if r.file != nil {
		err = r.file.Close()
		r.file = nil
	}
	for _, path := range r.paths {
		if removed := r.e.layout.fs.Remove(path); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	r.paths = nil
	if err != nil {
		return fmt.Errorf("removing files of new keys: %w", err)
	}
	return nil
}

// tableOptions are how the files of a replacement are written: those of the excised span go to the last level, those of
// tiles above what they hide.
type tableOptions struct{ excised, tile sstable.WriterOptions }

func newTableOptions(db *pebble.DB, o *pebble.Options) tableOptions {
	o.EnsureDefaults()
	return tableOptions{
		excised: o.MakeWriterOptions(len(o.Levels)-1, db.TableFormat()),
		tile:    o.MakeWriterOptions(0, db.TableFormat()),
	}
}
