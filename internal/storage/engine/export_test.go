package engine

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// opened is a store that is closed when the test ends.
func opened(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ExcisesMax is how many excises a snapshot may outlive.
const ExcisesMax = excisesMax

// MemtablesWaiting is how many memtables are counted full and not written out.
func MemtablesWaiting(e *Engine) int64 {
	e.events.flushMu.Lock()
	defer e.events.flushMu.Unlock()
	return e.events.waiting
}

// NextFormat has a format after FormatVersion until the test ends, with which Pebble's files become newer too: those of all
// formats before it are one older than they are.
func NextFormat(t *testing.T) (before, files pebble.FormatMajorVersion) {
	kept := engineFormats
	t.Cleanup(func() { engineFormats = kept })
	before, files = pebble.FormatTableFormatV6, kept[FormatVersion]
	engineFormats = []pebble.FormatMajorVersion{1: before, 2: before, 3: files}
	return before, files
}

// FilesFormat is that of Pebble's files.
func FilesFormat(e *Engine) pebble.FormatMajorVersion { return e.db.FormatMajorVersion() }
