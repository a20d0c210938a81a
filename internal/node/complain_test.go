package node_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/node"
	"stator/internal/partition/multiraft"
)

// Another node may send as much as it likes that is no message: it is told of once a minute.
func TestBadMessagesDoNotFillTheLog(t *testing.T) {
	var told strings.Builder
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000)), log: slog.New(slog.NewTextHandler(&told, nil))}
	m := f.join()
	liar := multiraft.AppendMessage(nil, &multiraft.Message{Group: 1, FromNode: 8, ToNode: m.id})
	for range 500 {
		m.handler.Raft(7, []byte("noise"))
		m.handler.Raft(7, liar)
	}
	f.clock.Advance(time.Minute)
	m.handler.Raft(7, liar)
	const line = "a message of another node is none"
	if said := strings.Count(told.String(), line); said != 2 || !strings.Contains(told.String(), "untold_before=999") || !strings.Contains(told.String(), "node 8") {
		t.Errorf("1001 bad messages are told of %d times: %s", said, told.String())
	}
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
}

// Work behind requests that fails is tried again soon, and told of once a minute.
func TestFailingWorkDoesNotFillTheLog(t *testing.T) {
	var told strings.Builder
	n, err := node.Open(t.Context(), node.Options{
		InMemory: true, Steady: func() time.Duration { return time.Hour }, Log: slog.New(slog.NewTextHandler(&told, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	n.Attend(ctx, func(context.Context) error {
		if tries++; tries == 3 {
			cancel()
		}
		return errors.New("it does not work")
	})
	closed(t, n)
	if said := strings.Count(told.String(), "it does not work"); said != 1 {
		t.Errorf("%d failures are told of %d times: %s", tries, said, told.String())
	}
}
