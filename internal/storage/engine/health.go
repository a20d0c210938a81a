package engine

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// health is whether the store can still be written.
type health struct {
	log    *slog.Logger
	fatal  func(error)
	broken atomic.Pointer[ErrBroken]
}

func newHealth(o Options) *health { return &health{log: o.Log, fatal: o.Fatal} }

// fail breaks the store for ever. The first failure counts and is told to Options.Fatal.
func (h *health) fail(cause error) *ErrBroken {
	broken := &ErrBroken{Cause: cause}
	if h.broken.CompareAndSwap(nil, broken) {
		h.fatal(broken)
	}
	return h.broken.Load()
}

// Broken is nil as long as the store can be written, then an *ErrBroken for ever.
func (e *Engine) Broken() error {
	if broken := e.health.broken.Load(); broken != nil {
		return broken
	}
	return nil
}

func (e *Engine) fail(cause error) error { return e.health.fail(corruption(cause, e.layout.db)) }

var _ pebble.Logger = (*health)(nil)

// Infof implements pebble.Logger: what Pebble has to tell, in its own words.
func (h *health) Infof(format string, args ...any) {
	h.log.Debug("pebble: " + fmt.Sprintf(format, args...))
}

// Errorf implements pebble.Logger.
func (h *health) Errorf(format string, args ...any) {
	h.log.Error("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble calls it where it cannot go on (its manifest could not be written, an
// invariant failed) and would go on with a wrong state if it returned. Failed syncs of the log do not come here: our
// commits ask for them apart (commit.go).
func (h *health) Fatalf(format string, args ...any) {
	h.stop(fmt.Errorf("pebble: "+format, args...))
}

// stop breaks the store where Pebble must not go on.
func (h *health) stop(cause error) {
	_ = h.fail(cause)
	select {} // reached when Options.Fatal returned, or another failure is already ending the process
}
