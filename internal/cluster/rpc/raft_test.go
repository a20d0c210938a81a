package rpc

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// Messages arrive in order, and many of them share a frame.
func TestMessagesArriveInOrder(t *testing.T) {
	const count = 5000
	got := make(chan uint64, count)
	h := &testHandler{raft: func(from uint64, message []byte) {
		if from == 1 {
			got <- binary.BigEndian.Uint64(message)
		}
	}}
	_, one, _ := pair(t, h)
	eventually(t, "the stream is up", func() bool { heard, _ := one.Peers().Alive(2); return heard < time.Minute })
	for i := range uint64(count) {
		eventually(t, "there is room", func() bool { return one.Peers().Send(2, 0, binary.BigEndian.AppendUint64(nil, i)) })
	}
	for want := range uint64(count) {
		select {
		case i := <-got:
			if i != want {
				t.Fatalf("message %d came in place of %d", i, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("message %d did not come", want)
		}
	}
}

// What finds no room, or no connection, is dropped and the sender is told; it never waits.
func TestSendDropsAndReports(t *testing.T) {
	n := newNet()
	o := testOptions(n, 1, nil)
	o.limits.queueEntriesMax = 8
	one := serve(t, n, o)
	if one.Peers().Send(2, 0, nil) {
		t.Error("a message to an unknown node was not reported")
	}
	hold := make(chan struct{})
	h := &testHandler{raft: func(uint64, []byte) { <-hold }}
	serve(t, n, testOptions(n, 2, h))
	defer close(hold)
	one.Peers().SetAddress(2, address(2))
	message := make([]byte, 1<<20)
	eventually(t, "the queue is full", func() bool { return !one.Peers().Send(2, 0, message) })
	if dropped := one.Counts().Dropped; dropped < 2 {
		t.Errorf("%d drops are counted", dropped)
	}
}

// Pings tell that a node is there, and that it is another incarnation than before.
func TestPingsTellTheIncarnation(t *testing.T) {
	n, one, two := pair(t, nil)
	if heard, incarnation := one.Peers().Alive(9); heard != math.MaxInt64 || incarnation != 0 {
		t.Errorf("a node nobody knows was heard %v ago, incarnation %d", heard, incarnation)
	}
	alive := func(incarnation uint64) func() bool {
		return func() bool {
			heard, i := one.Peers().Alive(2)
			return i == incarnation && heard < 2*pingEvery
		}
	}
	eventually(t, "node 2 is heard", alive(102))
	// It goes on being heard though nothing is said.
	time.Sleep(3 * pingEvery)
	if heard, _ := one.Peers().Alive(2); heard > 2*pingEvery {
		t.Errorf("node 2 was heard %v ago", heard)
	}
	if one.Peers().Down(2) {
		t.Error("a node that is heard is down")
	}
	stop(t, two)
	n.close(address(2))
	eventually(t, "node 2 is known to be down", func() bool { return one.Peers().Down(2) })
	o := testOptions(n, 2, nil)
	o.Incarnation = 777
	serve(t, n, o)
	eventually(t, "it is up again", func() bool { return !one.Peers().Down(2) })
	eventually(t, "its next incarnation is heard", alive(777))
}

// An address that changes moves the streams; one that is forgotten ends them.
func TestAddressesChange(t *testing.T) {
	n := newNet()
	one := serve(t, n, testOptions(n, 1, nil))
	one.Peers().SetAddress(2, "elsewhere:1")
	o := testOptions(n, 2, nil)
	serve(t, n, o)
	one.Peers().SetAddress(2, address(2))
	eventually(t, "the new address answers", func() bool {
		_, err := one.Peers().Call(within(t, time.Second), 2, 0, nil)
		return err == nil
	})
	one.Peers().SetAddress(2, "")
	_, err := one.Peers().Call(within(t, time.Second), 2, 0, nil)
	unreachable(t, err, false, ErrUnknown)
}
