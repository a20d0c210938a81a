package node_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/cluster/rpc"
	"stator/internal/model/attr"
	"stator/internal/node"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// convoy is several nodes in one goroutine: whoever waits runs all of them, and the network between them is a list.
type convoy struct {
	t        *testing.T
	clock    *clock.Manual
	nodes    []*member
	messages []message
	later    []deferred
	turns    int
	log      *slog.Logger
	// broken are the partitions of which a copy broke; nil is that none may.
	broken map[uint64]bool
}

// deferred is what a node wants to be called later.
type deferred struct {
	at   time.Time
	call func()
}

// member is one node of a convoy, and its network.
type member struct {
	*node.Steps
	convoy  *convoy
	id      uint64
	files   engine.FS
	handler rpc.Handler
	known   map[uint64]string
}

type message struct {
	from, to uint64
	bytes    []byte
}

func (f *convoy) find(id uint64) *member {
	for _, m := range f.nodes {
		if m.id == id {
			return m
		}
	}
	return nil
}

var errNobody = errors.New("nobody is there")

// Ask implements node.Network: the first node answers.
func (m *member) Ask(ctx context.Context, _ string, body []byte) ([]byte, error) {
	return m.convoy.nodes[0].handler.Join(ctx, body)
}

// Send implements node.Messenger.
func (m *member) Send(to, _ uint64, bytes []byte) bool {
	m.convoy.messages = append(m.convoy.messages, message{m.id, to, bytes})
	return true
}

// Call implements node.Messenger: the answer comes while the caller waits, as everything does here.
func (m *member) Call(ctx context.Context, to uint64, method byte, body []byte) ([]byte, error) {
	other := m.convoy.find(to)
	if other == nil {
		return nil, &rpc.Unreachable{Node: to, Cause: errNobody}
	}
	return other.handler.Call(ctx, m.id, method, body)
}

// SendSnapshot implements node.Messenger.
func (m *member) SendSnapshot(ctx context.Context, to uint64, header []byte, next func() ([]byte, error)) error {
	return m.convoy.find(to).handler.Snapshot(ctx, m.id, header, next)
}

// SetAddress implements node.Presence.
func (m *member) SetAddress(id uint64, address string) { m.known[id] = address }

// Alive implements node.Presence: nobody dies here.
func (m *member) Alive(uint64) (time.Duration, uint64) { return 0, 1 }

// Down implements node.Presence.
func (m *member) Down(uint64) bool { return false }

// join adds a new node to the convoy.
func (f *convoy) join() *member {
	f.t.Helper()
	m := f.assemble(engine.Memory())
	f.recover(m)
	return m
}

// assemble opens a node's store.
func (f *convoy) assemble(files engine.FS) *member {
	f.t.Helper()
	m := &member{convoy: f, files: files, known: map[uint64]string{}}
	membership := &node.Membership{
		Address: fmt.Sprintf("node-%d:1", len(f.nodes)), Init: len(f.nodes) == 0, Replicas: 3, Timeout: time.Minute, Network: m,
	}
	if len(f.nodes) > 0 {
		membership.Join = []string{"node-0:1"}
	}
	steps, err := node.Assemble(node.Options{
		Data: "store", FS: files, Clock: f.clock, Random: rand.NewChaCha8([32]byte{byte(len(f.nodes))}), Wait: f.wait, Membership: membership,
		Pause:  func(ctx context.Context, _ time.Duration) error { f.turn(); return ctx.Err() },
		Within: f.within,
		Steady: func() time.Duration { return f.clock.Now().Sub(time.Unix(0, 0)) },
		After:  func(d time.Duration, call func()) { f.later = append(f.later, deferred{f.clock.Now().Add(d), call}) },
		Log:    cmp.Or(f.log, slog.New(slog.DiscardHandler)), Fatal: func(err error) { f.t.Error(err) },
		Broken: func(partition uint64, err error) {
			if f.broken == nil {
				f.t.Errorf("partition %d is broken: %v", partition, err)
				return
			}
			f.broken[partition] = true
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	m.Steps, m.id = steps, steps.Engine().Ident().Node
	return m
}

// recover brings it up.
func (f *convoy) recover(m *member) {
	f.t.Helper()
	var err error
	if m.handler, err = m.Listen(); err != nil {
		f.t.Fatal(err)
	}
	f.nodes = append(f.nodes, m)
	if err := m.Recover(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// wait runs the convoy until done.
func (f *convoy) wait(ctx context.Context, done <-chan struct{}) error {
	for range 100_000 {
		select {
		case <-done:
			return nil
		default:
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f.turn()
	}
	return errors.New("what was waited for does not come")
}

// within bounds a wait by the convoy's time.
func (f *convoy) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	f.later = append(f.later, deferred{f.clock.Now().Add(d), cancel})
	return ctx, cancel
}

// abandon closes all stores.
func (f *convoy) abandon() {
	for _, m := range f.nodes {
		if err := m.Abandon(); err != nil {
			f.t.Error(err)
		}
	}
}

// turn has every node do whatever waits there, and a little time pass.
func (f *convoy) turn() {
	f.turns++
	messages := f.messages
	f.messages = nil
	for _, sent := range messages {
		if to := f.find(sent.to); to != nil && to.handler != nil {
			to.handler.Raft(sent.from, sent.bytes)
		}
	}
	f.clock.Advance(5 * time.Millisecond)
	for _, d := range f.later {
		if !f.clock.Now().Before(d.at) {
			d.call()
		}
	}
	f.later = slices.DeleteFunc(f.later, func(d deferred) bool { return !f.clock.Now().Before(d.at) })
	for _, m := range f.nodes {
		if m.handler == nil {
			continue
		}
		if f.turns%10 == 0 {
			m.Tick()
		}
		for worker := range m.Workers() {
			m.Work(worker)
		}
		m.Bear()
		if m.Executable() > 0 {
			m.Execute(0)
		}
		m.Commit()
		m.Settle()
	}
}

// A convoy under one goroutine does what three processes do: a table made at one node is written at another and read at the
// third, and the catalog's partition comes to have a copy on each.
func TestConvoyInOneGoroutine(t *testing.T) {
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	ctx := t.Context()
	for range 3 {
		f.join()
	}
	f.work(1)
	if _, err := f.nodes[0].Catalog().Create(ctx, nodetest.Things(), 2); err != nil {
		t.Fatal(err)
	}
	f.work(20)
	made, ok := f.nodes[1].Catalog().Table("things")
	if !ok {
		t.Fatal("the second node does not know the table")
	}
	key := attr.String("a")
	suffix := keys.Suffix([]attr.Value{key}, []attr.Value{key})
	item := attr.NewMap([]attr.Entry{{Name: "pk", Value: key}, {Name: "sk", Value: key}})
	put := &command.Command{Action: command.Put, Table: made.ID, TableVersion: made.Version, Key: suffix, Item: item}
	if _, err := f.nodes[1].Router().Write(ctx, put); err != nil {
		t.Fatal(err)
	}
	got, err := f.nodes[2].Router().Read(ctx, command.Get{Table: made.ID, TableVersion: made.Version, Key: suffix, Strong: true})
	if err != nil || string(got.Item) != string(item) {
		t.Errorf("the third node reads %q, %v", got.Item, err)
	}
	for range 1000 {
		if r, ok := f.nodes[2].Replica(1); ok && len(r.State().Descriptor.Members) == 3 {
			break
		}
		f.work(1)
	}
	r, ok := f.nodes[2].Replica(1)
	if !ok || len(r.State().Descriptor.Members) != 3 {
		t.Error("the catalog's partition has no copy on the third node")
	}
	f.abandon()
}

// A copy whose removal was given up half way is still one to remove, until it is.
func TestRemovalGivenUpHalfWay(t *testing.T) {
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	m := f.join()
	if _, err := m.Catalog().Create(t.Context(), nodetest.Things(), 1); err != nil {
		t.Fatal(err)
	}
	if err := m.Control(t.Context()); err != nil {
		t.Fatal(err)
	}
	entry, _ := m.Catalog().Entry("things")
	id := m.Catalog().Partitions(entry.Table.ID)[0].ID
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.RemoveCopy(late, id); !errors.Is(err, context.Canceled) {
		t.Fatalf("the removal ended with %v", err)
	}
	if !slices.Contains(m.RemovableCopies(), id) {
		t.Error("nobody removes the copy any more")
	}
	if err := m.RemoveCopy(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(m.RemovableCopies(), id) {
		t.Error("the copy is still to be removed")
	}
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
}
