package engine

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A flush that the replacement of a span between its keys overtakes is made again: the store goes on.
func TestFlushIsOvertaken(t *testing.T) {
	begun, overtaken := make(chan struct{}), make(chan struct{})
	var first sync.Once
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			first.Do(func() {
				close(begun)
				<-overtaken
			})
		}
		return nil
	}))
	e := opened(t, Options{Dir: "store", FS: fs, ReserveBytes: -1, Fatal: func(err error) { t.Error(err) }})
	b := e.NewBatch()
	b.Set([]byte("a"), []byte("before"))
	b.Set([]byte("z"), []byte("behind"))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	b.Close()
	flushed, err := e.db.AsyncFlush()
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	err = e.db.Excise(t.Context(), pebble.KeyRange{Start: []byte("k"), End: []byte("m")})
	close(overtaken)
	<-flushed
	if err := errors.Join(err, e.Broken()); err != nil {
		t.Fatal(err)
	}
	if m := e.Metrics(); m.Flushes < 2 {
		t.Errorf("%d flushes: none was overtaken", m.Flushes)
	}
	for _, key := range []string{"a", "z"} {
		if _, found, err := e.Get([]byte(key)); err != nil || !found {
			t.Errorf("%s: found %t, %v", key, found, err)
		}
	}
}
