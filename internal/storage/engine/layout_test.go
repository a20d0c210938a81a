package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/storage/engine"
)

func write(t testing.TB, fs vfs.FS, path, text string) {
	t.Helper()
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// made is a file system with a closed store in "data".
func made(t testing.TB) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	e := open(t, small(fs))
	put(t, e, "k", "v")
	closed(t, e)
	return fs
}

func TestIdentIsDrawnOnceAndKept(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.Random = bytes.NewReader([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	e := open(t, o)
	want := engine.Ident{Cluster: "0102030405060708", Node: 1, Members: []uint64{1}}
	if got := e.Ident(); !reflect.DeepEqual(got, want) {
		t.Errorf("a new store is %+v, want %+v", got, want)
	}
	if err := e.SetMembers([]uint64{1, 4}); err != nil {
		t.Fatal(err)
	}
	want.Members = []uint64{1, 4}
	stored, _, err := e.Get([]byte("nident"))
	var inStore engine.Ident
	if err = errors.Join(err, json.Unmarshal(stored, &inStore)); err != nil || !reflect.DeepEqual(inStore, want) {
		t.Errorf("the record is %s (%v), want %+v", stored, err, want)
	}
	closed(t, e)
	o.Random = nil
	e = open(t, o)
	if got := e.Ident(); !reflect.DeepEqual(got, want) {
		t.Errorf("opened again the store is %+v, want %+v", got, want)
	}
	closed(t, e)
}

func TestOpenRefuses(t *testing.T) {
	foreign := vfs.NewMem()
	if err := foreign.MkdirAll("data", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, foreign, "data/thesis.tex", "years of work")
	newer, unreadable, without, lost := made(t), made(t), made(t), made(t)
	write(t, newer, "data/FORMAT", "format: 99\ncreator: stator 9.9\n")
	write(t, unreadable, "data/FORMAT", "gibberish")
	if err := without.RemoveAll("data/db"); err != nil {
		t.Fatal(err)
	}
	e := open(t, small(lost))
	b := e.NewBatch()
	b.Delete([]byte("nident"))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	b.Close()
	closed(t, e)
	held := vfs.NewMem()
	defer closed(t, open(t, small(held)))

	for name, c := range map[string]struct {
		fs     vfs.FS
		change func(*engine.Options)
		want   any
		say    string
	}{
		"a stranger's directory":   {fs: foreign, want: new(*engine.ErrForeign), say: "thesis.tex"},
		"a newer format":           {fs: newer, want: new(*engine.ErrFormat), say: "stator 9.9"},
		"an unreadable format":     {fs: unreadable, want: new(*engine.ErrDamaged), say: "FORMAT"},
		"a FORMAT without a store": {fs: without, want: new(*engine.ErrDamaged), say: "db/ is missing"},
		"a store without ident":    {fs: lost, want: new(*engine.ErrDamaged), say: "ident"},
		"a second opener":          {fs: held, want: new(*engine.ErrLocked), say: "in use"},
		"nothing to read": {fs: vfs.NewMem(), want: new(*engine.ErrAbsent), say: "no Stator data",
			change: func(o *engine.Options) { o.ReadOnly = true }},
		"another cluster": {fs: made(t), want: new(*engine.ErrOtherStore), say: "of cluster",
			change: func(o *engine.Options) { o.Ident.Cluster = "00000000000000ff" }},
		"another node": {fs: made(t), want: new(*engine.ErrOtherStore), say: "not to node 3",
			change: func(o *engine.Options) { o.Ident.Node = 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			o := small(c.fs)
			if c.change != nil {
				c.change(&o)
			}
			before, _ := c.fs.List("data")
			e, err := engine.Open(o)
			if err == nil {
				closed(t, e)
				t.Fatal("it was opened")
			}
			if !errors.As(err, c.want) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("refused with %T %q, want %T with %q", err, err, c.want, c.say)
			}
			if strings.Contains(err.Error(), "--") {
				t.Errorf("%q names a flag, which not every command has", err)
			}
			if after, _ := c.fs.List("data"); name == "a stranger's directory" && len(after) != len(before) {
				t.Errorf("the stranger's directory now holds %v", after)
			}
		})
	}
}

func TestRefusedOpenLetsTheLockGo(t *testing.T) {
	fs := made(t)
	write(t, fs, "data/FORMAT", "format: 99\n")
	if _, err := engine.Open(small(fs)); err == nil {
		t.Fatal("a newer format was opened")
	}
	write(t, fs, "data/FORMAT", "format: 1\n")
	closed(t, open(t, small(fs)))
}

func TestDirectoryOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	o := engine.Options{Dir: dir, Creator: "stator test"}
	e := open(t, o)
	put(t, e, "k", "v")
	var locked *engine.ErrLocked
	if _, err := engine.Open(o); !errors.As(err, &locked) {
		t.Errorf("a second open says %v", err)
	}
	closed(t, e)
	text, err := os.ReadFile(filepath.Join(dir, "FORMAT"))
	if err != nil || string(text) != fmt.Sprintf("format: %d\ncreator: stator test\n", engine.FormatVersion) {
		t.Errorf("FORMAT is %q, %v", text, err)
	}
	e = open(t, o)
	has(t, e, "k", "v")
	closed(t, e)

	o.Dir = filepath.Join(dir, "FORMAT", "sub")
	var unwritable *engine.ErrUnwritable
	if _, err := engine.Open(o); !errors.As(err, &unwritable) {
		t.Errorf("a directory inside a file says %v", err)
	}
}

// Pebble would allocate a whole memtable's log with the first write.
func TestANewStoreTakesLittleDisk(t *testing.T) {
	dir := t.TempDir()
	e := open(t, engine.Options{Dir: dir, ReserveBytes: -1})
	defer closed(t, e)
	put(t, e, "k", "v")
	var blocks int64
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		var stat syscall.Stat_t
		if err = errors.Join(err, syscall.Stat(path, &stat)); err == nil {
			blocks += stat.Blocks
		}
		return err
	})
	if err != nil || blocks*512 > 8<<20 {
		t.Errorf("one item takes %d bytes of disk, %v", blocks*512, err)
	}
}

// testdata keeps a directory of every format ever written: what a release wrote, later ones open. UPDATE_FORMAT=1 writes
// the one of the current format anew, for the commit that raises FormatVersion.
func TestEveryFormatOpens(t *testing.T) {
	if os.Getenv("UPDATE_FORMAT") != "" {
		keep(t, filepath.Join("testdata", "format-"+strconv.Itoa(engine.FormatVersion)))
	}
	dirs, err := filepath.Glob("testdata/format-*")
	if err != nil || len(dirs) != engine.FormatVersion {
		t.Fatalf("testdata has %v (%v), want one for each of %d formats", dirs, err, engine.FormatVersion)
	}
	for _, dir := range dirs {
		// Opening writes, so it is done to a copy.
		fs := vfs.NewMem()
		if ok, err := vfs.Clone(vfs.Default, fs, dir, "data", vfs.CloneSync); err != nil || !ok {
			t.Fatal(ok, err)
		}
		e := open(t, small(fs))
		if ident := e.Ident(); ident.Cluster != "00112233445566aa" || ident.Node != 2 || len(ident.Members) != 3 {
			t.Errorf("%s has the ident %+v", dir, ident)
		}
		if version, _ := e.Format(); filepath.Base(dir) != "format-"+strconv.Itoa(version) {
			t.Errorf("%s is of format %d by being opened", dir, version)
		}
		if err := e.RaiseFormat(engine.FormatVersion); err != nil {
			t.Errorf("%s is not raised: %v", dir, err)
		}
		has(t, e, "in a table", "compacted")
		has(t, e, "in the log", "only synced")
		has(t, e, "deleted", "")
		closed(t, e)
	}
}

// keep makes a directory as a crash leaves it: part in tables, part in the log, and no LOCK held.
func keep(t *testing.T, dir string) {
	fs := vfs.NewCrashableMem()
	o := small(fs)
	o.Creator = "stator of format " + strconv.Itoa(engine.FormatVersion)
	o.Ident = engine.Ident{Cluster: "00112233445566aa", Node: 2, Members: []uint64{1, 2, 3}}
	e := open(t, o)
	put(t, e, "in a table", "compacted")
	put(t, e, "deleted", "soon")
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := e.NewBatch()
	b.Delete([]byte("deleted"))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	b.Close()
	put(t, e, "in the log", "only synced")
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	closed(t, e)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if ok, err := vfs.Clone(crashed, vfs.Default, "data", dir); err != nil || !ok {
		t.Fatal(ok, err)
	}
}

// A directory is in use by whatever name it is opened again.
func TestADirectoryInUseHasManyNames(t *testing.T) {
	above := t.TempDir()
	t.Chdir(above)
	dir := filepath.Join(above, "data")
	e := open(t, engine.Options{Dir: dir, ReserveBytes: -1})
	defer closed(t, e)
	if err := os.Symlink(dir, "link"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, "data", "./data", "link", filepath.Join(above, "link")} {
		var locked *engine.ErrLocked
		again, err := engine.Open(engine.Options{Dir: name, ReserveBytes: -1})
		if !errors.As(err, &locked) {
			t.Errorf("as %s it is opened again: %v", name, err)
		}
		if err == nil {
			closed(t, again)
		}
	}
}

// A store stays where it was opened when the process goes to work in another directory.
func TestAStoreStaysWhereItWasOpened(t *testing.T) {
	above := t.TempDir()
	t.Chdir(above)
	e := open(t, engine.Options{Dir: "data", MemtableBytes: 64 << 10, ReserveBytes: 1})
	t.Chdir(t.TempDir())
	for n := range 20 { // several logs
		put(t, e, fmt.Sprint(n), strings.Repeat("v", 10<<10))
	}
	if err := e.Space().Check(); err != nil {
		t.Error(err)
	}
	closed(t, e)
	e = open(t, engine.Options{Dir: filepath.Join(above, "data"), ReserveBytes: -1})
	defer closed(t, e)
	has(t, e, "19", strings.Repeat("v", 10<<10))
}
