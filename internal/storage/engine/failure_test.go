package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"stator/internal/storage/engine"
)

// failing is a file system on which calls fail with what fault says, nil for none.
type failing struct {
	vfs.FS
	fault atomic.Pointer[func(errorfs.Op) error]
}

func newFailing(fs vfs.FS) *failing {
	f := &failing{}
	f.FS = errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if fault := f.fault.Load(); fault != nil {
			return (*fault)(op)
		}
		return nil
	}))
	return f
}

func (f *failing) set(fault func(errorfs.Op) error) { f.fault.Store(&fault) }
func (f *failing) clear()                           { f.fault.Store(nil) }

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
}

// After a failed sync nobody knows what of the log is on disk. A second sync would succeed, as the kernel has dropped the
// dirty pages by then, so a store that only tried again would acknowledge what is lost.
func TestNothingIsAcknowledgedAfterAFailedSync(t *testing.T) {
	mem := vfs.NewCrashableMem()
	fs := newFailing(mem)
	o := small(fs)
	var told []error
	o.Fatal = func(err error) { told = append(told, err) }
	e := open(t, o)
	put(t, e, "before", "acknowledged")

	fs.set(func(op errorfs.Op) error {
		if isSync(op) {
			return syscall.EIO
		}
		return nil
	})
	first, second := e.NewBatch(), e.NewBatch()
	first.Set([]byte("during"), []byte("1"))
	second.Set([]byte("behind"), []byte("2"))
	waitFirst, waitSecond := e.CommitNoWait(first), e.CommitNoWait(second)
	var broken *engine.ErrBroken
	if err := waitFirst(); !errors.As(err, &broken) || !errors.Is(err, syscall.EIO) {
		t.Errorf("a failed sync was answered with %v", err)
	}
	if err := waitSecond(); !errors.As(err, &broken) {
		t.Errorf("the commit behind a failed sync was answered with %v", err)
	}
	fs.clear()
	for n, sync := range []bool{true, false} {
		b := e.NewBatch()
		b.Set(fmt.Append(nil, n), []byte("x"))
		if err := e.Commit(b, sync); !errors.As(err, &broken) {
			t.Errorf("a later commit (sync %v) was answered with %v", sync, err)
		}
	}
	if err := e.Sync(); !errors.As(err, &broken) {
		t.Errorf("a later sync was answered with %v", err)
	}
	if len(told) != 1 || !errors.Is(told[0], syscall.EIO) || e.Broken() == nil {
		t.Errorf("Fatal was told %v", told)
	}
	has(t, e, "before", "acknowledged")
	if err := e.Close(); err != nil {
		t.Errorf("closing a broken store: %v", err)
	}
	again := open(t, small(mem.CrashClone(vfs.CrashCloneCfg{})))
	has(t, again, "before", "acknowledged")
	closed(t, again)
}

func TestAFailedFlushBreaksTheStore(t *testing.T) {
	fs := newFailing(vfs.NewMem())
	o := small(fs)
	told := make(chan error, 1)
	o.Fatal = func(err error) { told <- err }
	e := open(t, o)
	fs.set(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return syscall.EIO
		}
		return nil
	})
	defer fs.clear()
	var err error
	for n := 0; n < 1000 && err == nil; n++ {
		b := e.NewBatch()
		b.Set(fmt.Appendf(nil, "%d", n), letters(seeded(1), 4000))
		err = e.Commit(b, false)
	}
	select {
	case cause := <-told:
		if !errors.Is(cause, syscall.EIO) {
			t.Errorf("Fatal was told %v", cause)
		}
	case <-time.After(time.Minute):
		t.Error("Fatal was not told")
	}
}

// An empty flush is reported by Pebble as an error that is none.
func TestAnEmptyFlushIsNoFailure(t *testing.T) {
	o := small(vfs.NewMem())
	o.Fatal = func(err error) { t.Errorf("Fatal was told %v", err) }
	e := open(t, o)
	defer closed(t, e)
	for range 3 {
		if err := e.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 20 {
		put(t, e, fmt.Sprint(n), string(letters(seeded(1), 60_000)))
	}
	if err := e.Broken(); err != nil {
		t.Error(err)
	}
}

const exitDir = "STATOR_TEST_EXIT_DIR"

// By default a broken store ends the process with one sentence and status 1.
func TestFatalExits(t *testing.T) {
	if dir := os.Getenv(exitDir); dir != "" {
		fs := newFailing(vfs.Default)
		e := open(t, engine.Options{Dir: dir, FS: fs, ReserveBytes: -1})
		fs.set(func(op errorfs.Op) error {
			if isSync(op) {
				return syscall.EIO
			}
			return nil
		})
		put(t, e, "k", "v")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFatalExits$") //nolint:gosec // this very test binary
	cmd.Env = append(os.Environ(), exitDir+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	exitsWithASentence(t, out, err)
}

const exitFault = "STATOR_TEST_EXIT_FAULT"

// unrotatable are failures that a commit meets when its log is full, each before anybody else has noticed it.
var unrotatable = map[string]func(op errorfs.Op) bool{
	"the log is not synced":  func(op errorfs.Op) bool { return isSync(op) && strings.HasSuffix(op.Path, ".log") },
	"the log is not written": func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") },
	"no log can be begun": func(op errorfs.Op) bool {
		return (op.Kind == errorfs.OpCreate || op.Kind == errorfs.OpReuseForWrite) && strings.HasSuffix(op.Path, ".log")
	},
	"the directory is not synced": func(op errorfs.Op) bool { return isSync(op) && strings.HasSuffix(op.Path, "db") },
}

// A log that cannot be rotated ends the process in the same way, whatever of it failed.
func TestAFailedRotationExits(t *testing.T) {
	if name := os.Getenv(exitFault); name != "" {
		fs := newFailing(vfs.Default)
		o := small(fs)
		o.Dir, o.ReserveBytes = os.Getenv(exitDir), -1
		e := open(t, o)
		put(t, e, "k", "v")
		fs.set(func(op errorfs.Op) error {
			if unrotatable[name](op) {
				return syscall.EIO
			}
			return nil
		})
		for n := range 1000 { // nobody waits for the syncs
			b := e.NewBatch()
			b.Set(fmt.Appendf(nil, "%d", n), letters(seeded(1), 4000))
			e.CommitNoWait(b)
		}
		return
	}
	for name := range unrotatable {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAFailedRotationExits$") //nolint:gosec // this very test binary
			cmd.Env = append(os.Environ(), exitDir+"="+t.TempDir(), exitFault+"="+name)
			out, err := cmd.CombinedOutput()
			exitsWithASentence(t, out, err)
		})
	}
}

// A disk that fails while a store is opened or closed is the error of that: the caller lives on.
func TestAFailedOpenOrCloseReturns(t *testing.T) {
	logSync := func(op errorfs.Op) error {
		if unrotatable["the log is not synced"](op) {
			return syscall.EIO
		}
		return nil
	}
	fs := newFailing(vfs.NewMem())
	fs.set(logSync)
	if _, err := engine.Open(small(fs)); !errors.Is(err, syscall.EIO) {
		t.Errorf("the open says %v", err)
	}
	fs.clear()
	e := open(t, small(fs))
	fs.set(logSync)
	if err := e.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("the close says %v", err)
	}
}

// exitsWithASentence holds a process to how a broken store ends it.
func exitsWithASentence(t *testing.T, out []byte, err error) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Contains(string(out), "FAIL") ||
		strings.Count(strings.TrimSpace(string(out)), "\n") != 0 || !strings.Contains(string(out), "takes no more writes") {
		t.Errorf("it ended with %v and said %.1000q", err, out)
	}
}

func TestACorruptBlockIsReportedAndNeverServed(t *testing.T) {
	dir := t.TempDir()
	o := engine.Options{Dir: dir, ReserveBytes: -1}
	e := open(t, o)
	for n := range 100 {
		put(t, e, fmt.Sprintf("k%03d", n), string(letters(seeded(uint64(n)), 1000)))
	}
	if err := e.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	closed(t, e)
	tables, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	flip(t, tables[0], 5000)

	e = open(t, o)
	defer closed(t, e)
	var corrupt *engine.ErrCorrupt
	refused := 0
	for n := range 100 {
		value, found, err := e.Get(fmt.Appendf(nil, "k%03d", n))
		switch {
		case err == nil:
			if !found || string(value) != string(letters(seeded(uint64(n)), 1000)) {
				t.Fatalf("key %d reads as %v %.20q", n, found, value)
			}
		case errors.As(err, &corrupt) && corrupt.File == tables[0]:
			refused++
		default:
			t.Fatalf("key %d: %v", n, err)
		}
	}
	if refused == 0 || refused == 100 {
		t.Errorf("%d of 100 keys were refused", refused)
	}
	it, err := e.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for it.First(); it.Valid(); it.Next() {
	}
	if err := it.Err(); !errors.As(err, &corrupt) {
		t.Errorf("a walk over the block ended with %v", err)
	}
	_ = it.Close()
	if err := e.VerifyChecksums(context.Background()); !errors.As(err, &corrupt) || corrupt.File != tables[0] {
		t.Errorf("verifying says %v", err)
	}
	if m := e.Metrics(); m.CorruptFiles != 1 {
		t.Errorf("%d files are counted corrupt", m.CorruptFiles)
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
