package engine_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/storage/engine"
)

// nextOptions are those of a release that reads one format more than there is.
func nextOptions(fs vfs.FS) engine.Options {
	o := small(fs)
	o.Reads, o.Creator = engine.FormatVersion+1, "stator next"
	return o
}

// A newer release keeps the format that a store has, and the release before opens it again, until it is raised.
func TestFormatIsKeptUntilRaised(t *testing.T) {
	older, files := engine.NextFormat(t)
	fs := made(t)
	o := nextOptions(fs)
	e := open(t, o)
	put(t, e, "k", "newer release")
	if version, _ := e.Format(); version != engine.FormatVersion || engine.FilesFormat(e) != older {
		t.Errorf("opened by a newer release the store is of format %d, its files of %d", version, engine.FilesFormat(e))
	}
	closed(t, e)
	e = open(t, small(fs))
	has(t, e, "k", "newer release")
	if err := e.RaiseFormat(engine.FormatVersion + 1); !errors.As(err, new(*engine.ErrFormat)) {
		t.Errorf("raised to what the release does not read: %v", err)
	}
	closed(t, e)
	e = open(t, o)
	if err := e.RaiseFormat(engine.FormatVersion + 1); err != nil {
		t.Fatal(err)
	}
	if version, creator := e.Format(); version != engine.FormatVersion+1 || creator != "stator next" || engine.FilesFormat(e) != files {
		t.Errorf("raised the store is of format %d by %s, its files of %d", version, creator, engine.FilesFormat(e))
	}
	if err := e.RaiseFormat(engine.FormatVersion); err != nil {
		t.Errorf("a format that is passed already: %v", err)
	}
	closed(t, e)
	var refused *engine.ErrFormat
	if _, err := engine.Open(small(fs)); !errors.As(err, &refused) || refused.Creator != "stator next" {
		t.Errorf("the release before opens what was raised: %v", err)
	}
	e = open(t, o)
	has(t, e, "k", "newer release")
	closed(t, e)
}

// A crash between FORMAT and the files leaves a store that the next open completes.
func TestRaisingIsCompleted(t *testing.T) {
	_, files := engine.NextFormat(t)
	fs := made(t)
	write(t, fs, "data/FORMAT", "format: 3\n")
	e := open(t, nextOptions(fs))
	if engine.FilesFormat(e) != files {
		t.Errorf("the files are of format %d", engine.FilesFormat(e))
	}
	has(t, e, "k", "v")
	closed(t, e)
}

// A store that joins others begins in their format, though it reads a newer one.
func TestNewStoreOfAnOlderFormat(t *testing.T) {
	engine.NextFormat(t)
	fs := vfs.NewMem()
	o := nextOptions(fs)
	o.Format = engine.FormatVersion
	e := open(t, o)
	put(t, e, "k", "v")
	closed(t, e)
	e = open(t, small(fs))
	has(t, e, "k", "v")
	closed(t, e)
}
