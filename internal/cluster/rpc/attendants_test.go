package rpc

import (
	"context"
	"sync"
	"testing"
	"time"
)

// More calls at once than may wait for others are served all the same; some goroutines are kept for the next ones, and
// none once the server has closed.
func TestAttendants(t *testing.T) {
	const burst = 3 * attendantsMax
	var under sync.WaitGroup
	under.Add(burst)
	h := &testHandler{call: func(context.Context, uint64, byte, []byte) ([]byte, error) {
		under.Done()
		under.Wait() // none is answered before all are served
		return nil, nil
	}}
	_, one, two := pair(t, h)
	var callers sync.WaitGroup
	for range burst {
		callers.Go(func() {
			if _, err := one.Peers().Call(within(t, 10*time.Second), 2, 0, nil); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	a := two.attendants
	eventually(t, "as many wait as may", func() bool { return len(a.waiting) == attendantsMax })
	under.Add(1)
	if _, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil); err != nil {
		t.Fatal(err)
	}
	stop(t, two)
	eventually(t, "nobody waits", func() bool { return len(a.waiting) == 0 })
}
