package multiraft

import (
	"errors"
	"testing"
)

// A leader that no quorum answers lets only so many strong reads wait for it, and refuses the others at once.
func TestReadsThatWaitAreBounded(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.add()
	}
	r.birth(10, 1, 2, 3)
	r.settle()
	r.isolate(1, true)
	g := r.node(1).copies[10].group
	refused := 0
	readers := make([]func(error), inboxReadersMax)
	for i := range readers {
		readers[i] = func(err error) {
			if errors.Is(err, errFull) {
				refused++
			}
		}
	}
	g.await(readers) // the round under way is theirs
	g.await(readers)
	g.await(readers[:7])
	if refused != 7 {
		t.Errorf("%d of %d reads were refused", refused, 2*inboxReadersMax+7)
	}
}
