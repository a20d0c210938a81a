package router_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

func (r *rig) puts(n int) []*command.Command {
	commands := make([]*command.Command, n)
	for i := range commands {
		commands[i] = r.put(fmt.Sprint("key ", i), 0)
	}
	return commands
}

// chains is how many batches the table's partitions have made.
func (r *rig) chains() (n uint64) {
	for _, p := range r.node.Catalog().Partitions(r.table.ID) {
		n += r.node.Must(p.ID).State().Applied.Chain
	}
	return n
}

// Commands go to each partition together, and those whose partition was split meanwhile go again.
func TestWriteAll(t *testing.T) {
	r := newRig(t, 4, 0)
	before := r.chains()
	for i, reply := range r.router.WriteAll(t.Context(), r.puts(40)) {
		if reply.Err != nil || reply.Result.Before != nil || reply.Result.After == nil {
			t.Errorf("put %d: %+v", i, reply)
		}
	}
	if batches := r.chains() - before; batches != 4 || r.pauses != 0 {
		t.Errorf("%d batches in 4 partitions, after %d pauses", batches, r.pauses)
	}
	r.freeze()
	r.split(t, suffix("key 7", 0)[:keys.TokenBytes])
	for i, reply := range r.router.WriteAll(t.Context(), r.puts(40)) {
		if reply.Err != nil || reply.Result.Before == nil {
			t.Errorf("put %d over the first one: %+v", i, reply)
		}
	}
	if r.pauses != 1 {
		t.Errorf("%d pauses after a split, want 1", r.pauses)
	}
}

// Each command is answered on its own: what is wrong with one is not another's.
func TestWriteAllAnswersEach(t *testing.T) {
	r := newRig(t, 1, 0)
	commands := r.puts(4)
	commands[1].Table = 9999
	commands[2].TableVersion--
	replies := r.router.WriteAll(t.Context(), commands)
	var stale *command.StaleTable
	switch {
	case replies[0].Err != nil, replies[3].Err != nil:
		t.Errorf("lawful puts: %v, %v", replies[0].Err, replies[3].Err)
	case !errors.Is(replies[1].Err, router.ErrNoTable):
		t.Errorf("a put to no table: %v", replies[1].Err)
	case !errors.As(replies[2].Err, &stale) || stale.Have != r.table.Version:
		t.Errorf("an older plan: %v", replies[2].Err)
	case r.pauses != 0:
		t.Errorf("%d pauses for nothing", r.pauses)
	}
}

// What finds no partition to take it ends with the deadline, or with the patience of whoever asked.
func TestWriteAllGivesUp(t *testing.T) {
	r := newRig(t, 1, 0)
	r.frozen = map[uint64][]catalog.Partition{r.table.ID: catalog.EvenPartitions(1, 9999)}
	var rejected *command.Rejected
	if replies := r.router.WriteAll(t.Context(), r.puts(2)); !errors.As(replies[1].Err, &rejected) || r.waited < 5*time.Second {
		t.Errorf("no replica: %v after %v", replies[1].Err, r.waited)
	}
	r.router = router.New(router.Options{Map: r, Host: r.node, Wait: r.node.Wait, Pause: func(context.Context, time.Duration) error {
		return context.Canceled
	}})
	if replies := r.router.WriteAll(t.Context(), r.puts(2)); !errors.As(replies[0].Err, &rejected) || !errors.Is(replies[0].Err, context.Canceled) {
		t.Errorf("a caller that gives up: %v", replies[0].Err)
	}
}

// Of what was not answered in time nobody knows, and it is not proposed again; what was, keeps its answer.
func TestWriteAllAmbiguous(t *testing.T) {
	r := newRig(t, 1, 0)
	r.router = router.New(router.Options{Map: r, Host: r.node, Pause: r.pause, Wait: func(context.Context, <-chan struct{}) error {
		return context.DeadlineExceeded
	}})
	commands := r.puts(2)
	commands[0].Table = 9999
	replies := r.router.WriteAll(t.Context(), commands)
	var ambiguous *command.Ambiguous
	if !errors.As(replies[1].Err, &ambiguous) || !errors.Is(replies[0].Err, router.ErrNoTable) || r.pauses != 0 {
		t.Errorf("%v and %v after %d pauses", replies[0].Err, replies[1].Err, r.pauses)
	}
	r.node.Rest() // the late answer finds nobody, and hurts nobody
}

// Two tables in one WriteAll are two sets of partitions.
func TestWriteAllOfTwoTables(t *testing.T) {
	r := newRig(t, 2, 0)
	other := r.node.Create(&table.Table{Name: "others", State: table.Creating,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}, Range: []table.KeyAttribute{{Name: "sk", Type: attr.N}}},
	}, 1)
	commands := r.puts(6)
	for _, c := range commands[3:] {
		c.Table, c.TableVersion = other.ID, other.Version
	}
	for i, reply := range r.router.WriteAll(t.Context(), commands) {
		if reply.Err != nil {
			t.Errorf("put %d: %v", i, reply.Err)
		}
	}
	if held := r.node.Must(r.node.Catalog().Partitions(other.ID)[0].ID).State().Applied.Stats.Items; held != 3 {
		t.Errorf("the other table has %d items, want 3", held)
	}
}
