package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// chunks yields so many chunks of a size, each of its own byte and all in the same memory.
func chunks(count, bytesEach int) func() ([]byte, error) {
	sent, chunk := 0, make([]byte, bytesEach)
	return func() ([]byte, error) {
		if sent == count {
			return nil, io.EOF
		}
		sent++
		for i := range chunk {
			chunk[i] = byte(sent)
		}
		return chunk, nil
	}
}

func TestSnapshotArrivesWhole(t *testing.T) {
	var got []byte
	h := &testHandler{snapshot: func(_ context.Context, from uint64, header []byte, next func() ([]byte, error)) error {
		if from != 1 || string(header) != "header" {
			t.Errorf("from %d, header %q", from, header)
		}
		for {
			chunk, err := next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			got = append(got, chunk...)
		}
	}}
	_, one, _ := pair(t, h)
	if err := one.Peers().SendSnapshot(within(t, 30*time.Second), 2, []byte("header"), chunks(4, 1<<20)); err != nil {
		t.Fatal(err)
	}
	want := []byte{}
	for next := chunks(4, 1<<20); ; {
		chunk, err := next()
		if err != nil {
			break
		}
		want = append(want, chunk...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes came of %d", len(got), len(want))
	}
}

// A receiver that refuses, and one that refuses in the middle, are the sender's error with the reason.
func TestSnapshotRefused(t *testing.T) {
	h := &testHandler{snapshot: func(_ context.Context, _ uint64, _ []byte, next func() ([]byte, error)) error {
		_, _ = next()
		return errors.New("the span is taken")
	}}
	_, one, _ := pair(t, h)
	err := one.Peers().SendSnapshot(within(t, 30*time.Second), 2, []byte("header"), chunks(100, 1<<20))
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("the span is taken")) {
		t.Fatalf("the sender was told %v", err)
	}
}

// A sender that fails is no end of the stream: the receiver must not take half for the whole.
func TestSnapshotBrokenOff(t *testing.T) {
	received := make(chan error, 1)
	h := &testHandler{snapshot: func(_ context.Context, _ uint64, _ []byte, next func() ([]byte, error)) error {
		for {
			if _, err := next(); err != nil {
				received <- err
				return err
			}
		}
	}}
	_, one, _ := pair(t, h)
	torn := errors.New("the disk is torn")
	whole := chunks(2, 1000)
	err := one.Peers().SendSnapshot(within(t, 30*time.Second), 2, nil, func() ([]byte, error) {
		chunk, err := whole()
		if err != nil {
			return nil, torn
		}
		return chunk, nil
	})
	if !errors.Is(err, torn) {
		t.Errorf("the sender was told %v", err)
	}
	if err := <-received; errors.Is(err, io.EOF) {
		t.Error("the receiver took half for the whole")
	}
	if err := one.Peers().SendSnapshot(within(t, 30*time.Second), 9, nil, whole); err == nil {
		t.Error("a snapshot went to nobody")
	}
}

func TestSnapshotsKeepToTheirRate(t *testing.T) {
	n := newNet()
	serve(t, n, testOptions(n, 2, nil))
	o := testOptions(n, 1, nil)
	o.SnapshotBytesPerSecond = 4 << 20
	one := serve(t, n, o)
	one.Peers().SetAddress(2, address(2))
	began := time.Now()
	if err := one.Peers().SendSnapshot(within(t, 30*time.Second), 2, nil, chunks(5, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("5 MB at 4 MB a second took %v", took)
	}
}
