package replica_test

import (
	"errors"
	"testing"
	"time"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// A read that looked while a snapshot took the place of the state, and is answered after that, may have found nothing of what
// was there all the time: it is refused, and made again.
func TestReadDuringReplacement(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world, part machine.Part){
		"it began and ended": func(w *world, part machine.Part) { w.replica.Replacing(); w.replica.Replaced(part) },
		"it ended":           func(w *world, part machine.Part) { w.replica.Replaced(part) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			asked, read := 0, func() {}
			w.steady = func() time.Duration {
				if asked++; asked == 2 { // first it is asked whether the copy may serve the read, then what that cost is counted
					read()
				}
				return time.Hour
			}
			newCopy(w)
			w.replica.Follow(2)
			w.replica.Replaced(w.part)
			if name == "it ended" {
				w.replica.Replacing()
			}
			asked, read = 0, func() { meanwhile(w, w.part) }
			get := &command.Get{Table: 100, TableVersion: 1, Key: key("a/1")}
			var failed error
			counted := 0
			w.replica.Read(get, func(_ command.GetResult, err error) { failed, counted = err, counted+1 })
			if _, rejected := errors.AsType[*command.Rejected](failed); !rejected || counted != 1 {
				t.Errorf("%d answers, the last with %v", counted, failed)
			}
			w.replica.Read(get, func(_ command.GetResult, err error) { failed = err })
			if failed != nil {
				t.Errorf("a read afterwards: %v", failed)
			}
		})
	}
}
