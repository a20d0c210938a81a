package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// ErrLocked says that another process (or another engine of this one) has the directory open.
type ErrLocked struct{ Dir string }

func (e *ErrLocked) Error() string {
	return fmt.Sprintf("the data directory %s is in use by another Stator process: stop that one, or choose another directory", e.Dir)
}

// ErrFormat says that the directory was written by a release whose format this one does not know.
type ErrFormat struct {
	Dir        string
	Have, Want int
	// Creator is what the directory says about who wrote it.
	Creator string
}

func (e *ErrFormat) Error() string {
	return fmt.Sprintf("the data directory %s has format %d (written by %s) and this release reads format %d: use a release that knows it, or choose another directory",
		e.Dir, e.Have, e.Creator, e.Want)
}

// ErrForeign says that the directory holds something that is not Stator's, which is therefore left alone.
type ErrForeign struct {
	Dir string
	// Found is one of the names in it.
	Found string
}

func (e *ErrForeign) Error() string {
	return fmt.Sprintf("the directory %s holds %s and is no Stator data directory: choose an empty or a new directory", e.Dir, e.Found)
}

// ErrDamaged says that the directory is Stator's and that a part of it is missing or unreadable as a whole.
type ErrDamaged struct{ Dir, What string }

func (e *ErrDamaged) Error() string {
	return fmt.Sprintf("the data directory %s is damaged (%s): restore it from a copy, or choose another directory", e.Dir, e.What)
}

// ErrAbsent says that a directory that was to hold a store holds none.
type ErrAbsent struct{ Dir string }

func (e *ErrAbsent) Error() string {
	return fmt.Sprintf("there is no Stator data in %s: check the path", e.Dir)
}

// ErrUnwritable says that files cannot be made in the directory.
type ErrUnwritable struct {
	Dir   string
	Cause error
}

func (e *ErrUnwritable) Error() string {
	return fmt.Sprintf("the data directory %s cannot be written (%v): give its owner the right to, or choose another directory", e.Dir, e.Cause)
}

// Unwrap is the file system's error.
func (e *ErrUnwritable) Unwrap() error { return e.Cause }

// ErrOtherStore says that the directory belongs to another cluster or node than the caller expected.
type ErrOtherStore struct {
	Dir        string
	Have, Want Ident
}

func (e *ErrOtherStore) Error() string {
	return fmt.Sprintf("the data directory %s belongs to node %d of cluster %s, not to node %d of cluster %s: start with the directory of this node",
		e.Dir, e.Have.Node, e.Have.Cluster, e.Want.Node, e.Want.Cluster)
}

// ErrCorrupt says that bytes on disk are not what was written there. The read that met them returns nothing.
type ErrCorrupt struct {
	// File is the damaged file, or the store's directory when Pebble does not tell.
	File  string
	Cause error
}

func (e *ErrCorrupt) Error() string {
	cause, _, _ := strings.Cut(fmt.Sprint(e.Cause), "\n") // behind it Pebble notes what it carries along
	return fmt.Sprintf("the file %s is corrupt: %s", e.File, cause)
}

// Unwrap is Pebble's error.
func (e *ErrCorrupt) Unwrap() error { return e.Cause }

// ErrBroken is what every commit returns once the store could not be written: after one failed sync nobody knows
// what of the log is on disk, so nothing may be acknowledged until the process has been started again.
type ErrBroken struct{ Cause error }

func (e *ErrBroken) Error() string {
	return fmt.Sprintf("the store can no longer be written and takes no more writes until a restart: %v", e.Cause)
}

// Unwrap is the first failure.
func (e *ErrBroken) Unwrap() error { return e.Cause }

// fault gives an error of Pebble its type and says what we were doing.
func (e *Engine) fault(doing string, err error) error {
	return fmt.Errorf("%s: %w", doing, corruption(err, e.layout.db))
}

// corruption turns Pebble's corruption errors into *ErrCorrupt and leaves others alone.
func corruption(err error, dir string) error {
	if err == nil || !pebble.IsCorruptionError(err) {
		return err
	}
	var known *ErrCorrupt
	if errors.As(err, &known) {
		return err
	}
	file := dir
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		file = info.Path
	}
	return &ErrCorrupt{File: file, Cause: err}
}
