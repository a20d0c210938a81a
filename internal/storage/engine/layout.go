package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FormatVersion is the newest layout of a data directory, with all records in it, that this release reads. A directory keeps
// the one that it has until RaiseFormat, and nothing is written to it before that the releases of that one would not know.
//
//	1  tables, items, indexes, change logs
//	2  transactions' locks and records, streams, times to live
const FormatVersion = 2

// The names in a data directory. testdata keeps a directory of every format ever written.
const (
	formatName  = "FORMAT"
	formatDraft = "FORMAT.new"
	lockName    = "LOCK"
	reserveName = "RESERVE"
	dbName      = "db"
	// incomingName holds the files of replacements under way; what an open finds there is left over.
	incomingName = "incoming"
	// lostName stands in the root of a mounted file system and is nobody's data.
	lostName = "lost+found"
)

const (
	dirMode = 0o750
	// formatBytesMax bounds what is read of a FORMAT file: it is two lines.
	formatBytesMax = 4096
)

// layout is where a store's files are.
//
// Invariant: FORMAT exists only when db/ does and holds the ident. So the first open goes: directory, LOCK, db/, ident
// (synced), FORMAT. A crash between any two leaves a directory without FORMAT in which there is nothing but names of
// ours; the next open goes the same way again and finds each step done or not.
type layout struct {
	fs                           vfs.FS
	dir                          string
	format, draft, lock, reserve string
	db, incoming                 string
}

func newLayout(fsys vfs.FS, dir string) layout {
	at := func(name string) string { return fsys.PathJoin(dir, name) }
	return layout{fs: fsys, dir: dir, format: at(formatName), draft: at(formatDraft), lock: at(lockName),
		reserve: at(reserveName), db: at(dbName), incoming: at(incomingName)}
}

// prepare makes the directory when it is absent, and refuses it when it holds somebody else's files: nothing, not even
// a LOCK, is put into such a one. One that is to exist is refused when it does not, or holds no store.
func (l layout) prepare(existing bool) error {
	names, err := l.fs.List(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if existing {
			return &ErrAbsent{Dir: l.dir}
		}
		return l.makeDir()
	}
	if err != nil {
		return &ErrUnwritable{Dir: l.dir, Cause: err}
	}
	if slices.Contains(names, formatName) {
		return nil
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case formatDraft, lockName, reserveName, dbName, lostName:
		default:
			return &ErrForeign{Dir: l.dir, Found: name}
		}
	}
	if existing {
		return &ErrAbsent{Dir: l.dir}
	}
	return nil
}

// Absent tells whether a directory holds no store yet; one whose first open was interrupted does not.
func Absent(o Options) (bool, error) {
	o = o.withDefaults()
	version, _, err := newLayout(o.FS, o.Dir).readFormat()
	return version == 0, err
}

// makeDir makes the directory and every parent it lacks, and syncs each new name: a directory nobody synced can be
// gone after a crash, with all that was acknowledged in it.
func (l layout) makeDir() error {
	var lacking []string
	for dir := l.dir; ; {
		if _, err := l.fs.Stat(dir); err == nil {
			break
		}
		lacking = append(lacking, dir)
		parent := l.fs.PathDir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if err := l.fs.MkdirAll(l.dir, dirMode); err != nil {
		return &ErrUnwritable{Dir: l.dir, Cause: err}
	}
	for _, dir := range lacking {
		if err := syncDir(l.fs, l.fs.PathDir(dir)); err != nil {
			return &ErrUnwritable{Dir: l.dir, Cause: err}
		}
	}
	return nil
}

// take locks the directory for this process. Within one only the name of a lock tells it from others, so on disk it is the
// one without symbolic links.
func (l layout) take() (io.Closer, error) {
	name := l.lock
	if l.fs == vfs.Default {
		if dir, err := filepath.EvalSymlinks(l.dir); err == nil {
			name = l.fs.PathJoin(dir, lockName)
		}
	}
	lock, err := l.fs.Lock(name)
	if err == nil {
		return lock, nil
	}
	// The file could be opened, so what failed is the lock itself.
	var open *fs.PathError
	if errors.As(err, &open) {
		return nil, &ErrUnwritable{Dir: l.dir, Cause: err}
	}
	return nil, &ErrLocked{Dir: l.dir}
}

// clear removes what a process that did not stop cleanly left, before anything needs room: its reserve, too, which nobody
// would give up for a full disk.
func (l layout) clear() error {
	for _, left := range []string{l.incoming, l.reserve} {
		if err := l.fs.RemoveAll(left); err != nil {
			return fmt.Errorf("removing %s: %w", left, err)
		}
	}
	return nil
}

// readFormat is the directory's format, 0 when it has no FORMAT yet.
func (l layout) readFormat() (version int, creator string, err error) {
	f, err := l.fs.Open(l.format)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("reading %s: %w", l.format, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, formatBytesMax))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return 0, "", fmt.Errorf("reading %s: %w", l.format, err)
	}
	version, creator, ok := parseFormat(string(text))
	if !ok {
		return 0, "", &ErrDamaged{Dir: l.dir, What: formatName + " is unreadable"}
	}
	return version, creator, nil
}

// formatText is two lines that a person can read, as a later release must be able to: the first is forever
// "format: <number>".
func formatText(version int, creator string) string {
	return fmt.Sprintf("format: %d\ncreator: %s\n", version, creator)
}

func parseFormat(text string) (version int, creator string, ok bool) {
	first, rest, _ := strings.Cut(text, "\n")
	number, found := strings.CutPrefix(first, "format: ")
	version, err := strconv.Atoi(number)
	if !found || err != nil || version < 1 {
		return 0, "", false
	}
	creator = "an unknown release"
	for line := range strings.Lines(rest) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "creator: "); found {
			creator = name
		}
	}
	return version, creator, true
}

// writeFormat ends a first open, and begins a newer format. It goes through a second name so that FORMAT is never there by half.
func (l layout) writeFormat(version int, creator string) error {
	f, err := l.fs.Create(l.draft, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("writing %s: %w", l.draft, err)
	}
	_, err = f.Write([]byte(formatText(version, creator)))
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = l.fs.Rename(l.draft, l.format)
	}
	if err == nil {
		err = syncDir(l.fs, l.dir)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", l.format, err)
	}
	return nil
}

func syncDir(fsys vfs.FS, dir string) error {
	f, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
