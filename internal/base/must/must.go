// Package must states invariants whose failure makes one copy of the data untrustworthy. It does not know what the caller then does with that copy.
package must

import "fmt"

// Broken is the value of a panic raised by That. Whoever owns a copy of data recovers it, by type and by nothing else, and
// quarantines the copy: every other panic is a programming fault and stops the process.
type Broken struct {
	// Text says which invariant failed and with what values. It never holds item data beyond lengths and offsets.
	Text string
}

// Error makes a Broken usable as the error under which a copy is reported.
func (b *Broken) Error() string { return "broken invariant: " + b.Text }

// That panics with a *Broken made of format and args unless cond holds.
//
// The arguments are boxed by the caller whether or not cond holds, so a hot path tests the condition itself and calls
// That(false, …) only when it failed.
func That(cond bool, format string, args ...any) {
	if cond {
		return
	}
	panic(&Broken{Text: fmt.Sprintf(format, args...)})
}
