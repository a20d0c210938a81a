package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Many callers at once get each its own answer, though their requests share frames.
func TestCallsAreAnsweredByID(t *testing.T) {
	_, one, _ := pair(t, nil)
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			for j := range 50 {
				body := fmt.Append(nil, i, "/", j)
				got, err := one.Peers().Call(within(t, 10*time.Second), 2, byte(i), body)
				if err != nil || !bytes.Equal(got, append([]byte{byte(i)}, body...)) {
					t.Errorf("caller %d, call %d: %q, %v", i, j, got, err)
				}
			}
		})
	}
	callers.Wait()
}

func TestErrorsOfHandlersTravel(t *testing.T) {
	refused := errors.New("refused")
	h := &testHandler{call: func(context.Context, uint64, byte, []byte) ([]byte, error) { return nil, refused }}
	n := newNet()
	two := testOptions(n, 2, h)
	two.AppendError = func(dst []byte, err error) []byte {
		if errors.Is(err, refused) {
			return append(dst, 1)
		}
		return append(dst, 2)
	}
	serve(t, n, two)
	one := testOptions(n, 1, nil)
	one.AppendError = two.AppendError
	one.ParseError = func(data []byte) error {
		if bytes.Equal(data, []byte{1}) {
			return refused
		}
		return errors.New("another")
	}
	peers := serve(t, n, one).Peers()
	peers.SetAddress(2, address(2))
	if _, err := peers.Call(within(t, 5*time.Second), 2, 0, nil); !errors.Is(err, refused) {
		t.Fatalf("the handler's error came as %v", err)
	}
}

func TestErrorTextWithoutCodec(t *testing.T) {
	h := &testHandler{call: func(context.Context, uint64, byte, []byte) ([]byte, error) { return nil, errors.New("no such shelf") }}
	_, one, _ := pair(t, h)
	_, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil)
	var failed *Failed
	if !errors.As(err, &failed) || failed.Text != "no such shelf" {
		t.Fatalf("the handler's error came as %v", err)
	}
}

// A node without an address, and one that nobody runs, were certainly not asked; the second is noticed without waiting
// for the deadline.
func TestCallsToNobodyWereNotSent(t *testing.T) {
	n := newNet()
	peers := serve(t, n, testOptions(n, 1, nil)).Peers()
	_, err := peers.Call(within(t, 5*time.Second), 3, 0, nil)
	unreachable(t, err, false, ErrUnknown)
	peers.SetAddress(3, address(3))
	began := time.Now()
	_, err = peers.Call(within(t, 10*time.Second), 3, 0, nil)
	unreachable(t, err, false, nil)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a refused connection was noticed after %v", took)
	}
	eventually(t, "the link knows that it is down", func() bool {
		_, err = peers.Call(within(t, 5*time.Second), 3, 0, nil)
		return errors.Is(err, ErrDown)
	})
	unreachable(t, err, false, ErrDown)
}

// A connection lost in the middle of a call leaves it unknown; the link then heals by itself.
func TestConnectionLostMidCall(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	h := &testHandler{call: func(ctx context.Context, _ uint64, method byte, _ []byte) ([]byte, error) {
		if method == 1 {
			close(begun)
			<-ctx.Done() // the server sees that nobody waits any more
			close(ended)
		}
		return nil, nil
	}}
	n, one, _ := pair(t, h)
	go func() {
		<-begun
		n.cut()
	}()
	_, err := one.Peers().Call(within(t, 20*time.Second), 2, 1, nil)
	unreachable(t, err, true, nil)
	<-ended
	eventually(t, "the link is up again", func() bool {
		_, err := one.Peers().Call(within(t, time.Second), 2, 0, nil)
		return err == nil
	})
}

// A cable that is pulled without a word is noticed by unanswered pings, long before TCP would.
func TestSilentPeerIsNoticed(t *testing.T) {
	n := newNet()
	blocked := make(chan struct{})
	h := &testHandler{call: func(context.Context, uint64, byte, []byte) ([]byte, error) { <-blocked; return nil, nil }}
	defer close(blocked)
	serve(t, n, testOptions(n, 2, h))
	o := testOptions(n, 1, nil)
	o.limits.silence = 700 * time.Millisecond
	peers := serve(t, n, o).Peers()
	peers.SetAddress(2, address(2))
	eventually(t, "the peer was heard", func() bool { heard, _ := peers.Alive(2); return heard < time.Minute })
	done := make(chan error, 1)
	go func() {
		_, err := peers.Call(within(t, time.Minute), 2, 0, nil)
		done <- err
	}()
	time.Sleep(100 * time.Millisecond)
	n.deaf.Store(true)
	select {
	case err := <-done:
		unreachable(t, err, true, errSilent)
	case <-time.After(10 * time.Second):
		t.Fatal("the call still hangs")
	}
	n.deaf.Store(false)
}

// A peer is silent when it leaves pings unanswered, not when who sends them stood still.
func TestWhoStandsStillJudgesNobody(t *testing.T) {
	began := time.Now()
	s := newSilence(silenceMax, began)
	for i, look := range []struct {
		after    time.Duration
		received int64
		want     bool
	}{
		{pingEvery, 1, false}, {time.Minute, 1, false}, {time.Minute + pingEvery, 1, false}, {time.Minute + 4*pingEvery, 2, false},
		{time.Minute + 5*pingEvery, 2, false}, {time.Minute + 7*pingEvery, 2, false}, {time.Minute + 9*pingEvery, 2, true},
	} {
		if got := s.tooLong(look.received, began.Add(look.after)); got != look.want {
			t.Errorf("look %d, after %v: %t", i, look.after, got)
		}
	}
}

// The caller's deadline ends the call on both sides.
func TestDeadlinesTravel(t *testing.T) {
	left := make(chan time.Duration, 1)
	h := &testHandler{call: func(ctx context.Context, _ uint64, _ byte, _ []byte) ([]byte, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, one, _ := pair(t, h)
	_, err := one.Peers().Call(within(t, 300*time.Millisecond), 2, 0, nil)
	if got := <-left; got > 300*time.Millisecond || got < 0 {
		t.Errorf("the handler had %v left of 300ms", got)
	}
	var u *Unreachable
	var failed *Failed
	// Either side's clock may be the first to run out.
	if !errors.As(err, &failed) && (!errors.As(err, &u) || !u.Sent || !errors.Is(err, context.DeadlineExceeded)) {
		t.Errorf("the call ended with %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = one.Peers().Call(ctx, 2, 0, nil)
	unreachable(t, err, false, context.Canceled)
}

// A call that its writer did not reach before the deadline is certainly not done.
func TestWithdrawnBeforeItWasSent(t *testing.T) {
	var box = newOutbox(defaultLimits)
	box.admit()
	s := newCalls(1)
	id, c, _ := s.begin()
	if err := box.put(entry{kind: kindCall, id: id, call: c}); err != nil {
		t.Fatal(err)
	}
	if !c.withdraw() {
		t.Fatal("nobody sent it")
	}
	if frame, more := box.next(nil, wholeBytesMax); len(frame) > 0 || more {
		t.Fatalf("a withdrawn call was sent: %+v", frame)
	}
	_, c, _ = s.begin()
	if c != nil {
		t.Fatal("more calls than may be")
	}
}

// Past the bound of calls under way, the caller's side refuses; past the server's, that one does. Neither was begun.
func TestFullQueuesRefuse(t *testing.T) {
	hold := make(chan struct{})
	h := &testHandler{call: func(context.Context, uint64, byte, []byte) ([]byte, error) { <-hold; return nil, nil }}
	n := newNet()
	served := testOptions(n, 2, h)
	served.limits.callsMax = 4
	two := serve(t, n, served)
	o := testOptions(n, 1, nil)
	o.limits.callsMax = 6
	peers := serve(t, n, o).Peers()
	peers.SetAddress(2, address(2))
	results := make(chan error, 6)
	for range 6 {
		go func() {
			_, err := peers.Call(within(t, 20*time.Second), 2, 0, nil)
			results <- err
		}()
	}
	for range 2 { // the server has room for four
		unreachable(t, <-results, false, ErrBusy)
	}
	if got := two.Counts().Refused; got != 2 {
		t.Errorf("the server counts %d refused calls, not 2", got)
	}
	for range 2 {
		go func() {
			_, err := peers.Call(within(t, 20*time.Second), 2, 0, nil)
			results <- err
		}()
	}
	for range 2 {
		unreachable(t, <-results, false, ErrBusy)
	}
	link := (*peers.peers.Load())[2].requests
	for range 2 {
		link.calls.begin()
	}
	_, err := peers.Call(within(t, 20*time.Second), 2, 0, nil)
	unreachable(t, err, false, ErrFull)
	close(hold)
	for range 4 {
		if err := <-results; err != nil {
			t.Errorf("a call that was served: %v", err)
		}
	}
}

// A server that stops lets calls finish, and refuses new ones as not begun.
func TestStoppingLetsCallsFinish(t *testing.T) {
	begun, hold := make(chan struct{}), make(chan struct{})
	h := &testHandler{call: func(_ context.Context, _ uint64, method byte, _ []byte) ([]byte, error) {
		if method == 1 {
			close(begun)
			<-hold
		}
		return []byte("done"), nil
	}}
	_, one, two := pair(t, h)
	finished := make(chan error, 1)
	go func() {
		_, err := one.Peers().Call(within(t, 20*time.Second), 2, 1, nil)
		finished <- err
	}()
	<-begun
	stopped := make(chan struct{})
	go func() {
		stop(t, two)
		close(stopped)
	}()
	eventually(t, "new calls are refused", func() bool {
		_, err := one.Peers().Call(within(t, 5*time.Second), 2, 0, nil)
		return errors.Is(err, ErrBusy)
	})
	close(hold)
	if err := <-finished; err != nil {
		var u *Unreachable
		// The answer races with the end of the connection; what may not be is "not sent".
		if !errors.As(err, &u) || !u.Sent {
			t.Errorf("the call under way ended with %v", err)
		}
	}
	<-stopped
}

// In a bubble no time passes while anything runs: on a busy machine nobody takes the peer for silent.
func TestLargeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, one, _ := pair(t, nil)
		body := bytes.Repeat([]byte("0123456789abcdef"), 40<<20/16)
		got, err := one.Peers().Call(within(t, time.Minute), 2, 1, body)
		if err != nil || !bytes.Equal(got[1:], body) {
			t.Fatalf("40 MB came back as %d bytes, %v", len(got), err)
		}
		_, err = one.Peers().Call(within(t, time.Minute), 2, 1, make([]byte, messageBytesMax+1))
		unreachable(t, err, false, ErrTooLarge)
	})
}
