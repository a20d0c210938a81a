package engine

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Whatever the pieces, a table's file has all of them in order once it is synced; other files are left alone.
func TestTablesAreGathered(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fs := tableFS{vfs.NewMem()}
	f, err := fs.Create("000001.sst", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, size := range []int{0, 1, 4096, 5, tableWriteBytes, tableWriteBytes + 1, 3, 2 * tableWriteBytes, 4096, 4096} {
		for range 1 + random.IntN(40) {
			piece := bytes.Repeat([]byte{byte(random.IntN(256))}, size)
			want = append(want, piece...)
			if n, err := f.Write(piece); err != nil || n != size {
				t.Fatalf("wrote %d of %d, %v", n, size, err)
			}
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, fs, "000001.sst"); !bytes.Equal(got, want) {
		t.Errorf("%d bytes in the file, %d were written", len(got), len(want))
	}
	if _, err := f.Write([]byte("the end")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, fs, "000001.sst"); !bytes.HasSuffix(got, []byte("the end")) {
		t.Error("what was written last is not in the closed file")
	}
	if log, err := fs.Create("000002.log", vfs.WriteCategoryUnspecified); err != nil {
		t.Error(err)
	} else if _, gathered := log.(*tableFile); gathered {
		t.Error("a log is gathered")
	}
}

// Read in pieces a table is what it is, forwards and backwards, to its end and beyond it.
func TestTablesAreReadInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	want := make([]byte, 5*tableReadBytes+77)
	for i := range want {
		want[i] = byte(random.IntN(256))
	}
	fs := tableFS{vfs.NewMem()}
	for _, name := range []string{"000001.sst", "000002.log"} {
		f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := fs.Open("000001.sst", vfs.SequentialReadsOption)
	if err != nil {
		t.Fatal(err)
	}
	if _, inPieces := f.(*tableStream); !inPieces {
		t.Fatalf("it is a %T", f)
	}
	check := func(offset, size int) {
		t.Helper()
		p := make([]byte, size)
		n, err := f.ReadAt(p, int64(offset))
		left := want[min(offset, len(want)):min(offset+size, len(want))]
		if !bytes.Equal(p[:n], left) || (err == nil) != (n == size) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes at %d: %d, %v", size, offset, n, err)
		}
	}
	for offset, size := 0, 0; offset < len(want); offset += size {
		size = 1 + random.IntN(16<<10)
		check(offset, size)
	}
	for range 1000 {
		check(random.IntN(len(want)+10), 1+random.IntN(tableReadBytes))
	}
	check(10, 3*tableReadBytes)
	check(len(want), 1)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, other := range []func() (vfs.File, error){
		func() (vfs.File, error) { return fs.Open("000001.sst", vfs.RandomReadsOption) },
		func() (vfs.File, error) { return fs.Open("000002.log", vfs.SequentialReadsOption) },
	} {
		f, err := other()
		if err != nil {
			t.Fatal(err)
		}
		if _, inPieces := f.(*tableStream); inPieces {
			t.Error("a file is read in pieces that is not read from beginning to end")
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func content(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var errNoRoom = errors.New("no room")

// narrow is a file that cannot be written, and notes what was asked of it.
type narrow struct {
	vfs.File
	calls []string
}

func (n *narrow) Write([]byte) (int, error) { n.calls = append(n.calls, "write"); return 0, errNoRoom }
func (n *narrow) Sync() error               { n.calls = append(n.calls, "sync"); return nil }
func (n *narrow) SyncData() error           { n.calls = append(n.calls, "sync data"); return nil }
func (n *narrow) Close() error              { n.calls = append(n.calls, "close"); return nil }

// A piece that cannot be written fails whatever has it written: nothing is said to be synced that is not in the file.
func TestTablesThatFindNoRoom(t *testing.T) {
	for name, c := range map[string]struct {
		ask   func(f *tableFile) error
		calls []string
	}{
		"sync":       {func(f *tableFile) error { return f.Sync() }, []string{"write"}},
		"sync data":  {func(f *tableFile) error { return f.SyncData() }, []string{"write"}},
		"close":      {func(f *tableFile) error { return f.Close() }, []string{"write", "close"}},
		"next piece": {func(f *tableFile) error { _, err := f.Write(make([]byte, tableWriteBytes)); return err }, []string{"write"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := &narrow{}
			buffer := make([]byte, 0, tableWriteBytes)
			f := &tableFile{File: file, gathered: &buffer}
			if _, err := f.Write([]byte("a block")); err != nil {
				t.Fatal(err)
			}
			if err := c.ask(f); !errors.Is(err, errNoRoom) || !slices.Equal(file.calls, c.calls) {
				t.Errorf("%v after %q", err, file.calls)
			}
		})
	}
}
