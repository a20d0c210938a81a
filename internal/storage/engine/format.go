package engine

import "fmt"

// Format is the format of what is written to the store, with the program that began it there.
func (e *Engine) Format() (version int, creator string) {
	e.identMu.Lock()
	defer e.identMu.Unlock()
	return e.format, e.creator
}

// RaiseFormat has the store be of a newer format from now on; it is never lowered again. FORMAT says so before anything
// else does: a release that knows only older ones must not open what it would find then.
func (e *Engine) RaiseFormat(version int) error {
	now, creator := e.Format()
	switch {
	case version <= now:
		return nil
	case version > e.reads:
		return &ErrFormat{Dir: e.layout.dir, Have: version, Want: e.reads, Creator: creator}
	}
	if err := e.layout.writeFormat(version, e.release); err != nil {
		return err
	}
	if wanted := engineFormat(version); e.db.FormatMajorVersion() < wanted {
		if err := e.db.RatchetFormatMajorVersion(wanted); err != nil {
			return fmt.Errorf("raising the format of the store's files: %w", err)
		}
	}
	e.identMu.Lock()
	defer e.identMu.Unlock()
	e.format, e.creator = version, e.release
	return nil
}
