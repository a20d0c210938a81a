package node_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"stator/internal/base/clock"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// A partition that came to a node and cannot be read is tried again until it can, or is gone, and an operator is told once.
func TestPartitionThatDoesNotStart(t *testing.T) {
	var told strings.Builder
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000)), log: slog.New(slog.NewTextHandler(&told, nil))}
	m := f.join()
	const mended, removed = 501, 502
	arrive(t, m, mended)
	arrive(t, m, removed)
	change := func(fill func(b *engine.Batch)) {
		t.Helper()
		batch := m.Engine().NewBatch()
		defer batch.Close()
		fill(batch)
		if err := m.Engine().Commit(batch, true); err != nil {
			t.Fatal(err)
		}
	}
	whole, _, err := m.Engine().Get(machine.DescriptorKey(mended))
	if err != nil {
		t.Fatal(err)
	}
	change(func(b *engine.Batch) {
		b.Set(machine.DescriptorKey(mended), []byte("damaged"))
		b.Set(machine.DescriptorKey(removed), []byte("damaged"))
	})
	minutes := func(n int) {
		for end := f.clock.Now().Add(time.Duration(n) * time.Minute); f.clock.Now().Before(end); {
			f.turn()
		}
	}
	minutes(2)
	if lines := strings.Count(told.String(), "does not start"); m.Stuck() != 2 || lines != 2 {
		t.Fatalf("%d partitions are stuck, and that was said %d times: %s", m.Stuck(), lines, told.String())
	}
	change(func(b *engine.Batch) {
		b.Set(machine.DescriptorKey(mended), whole)
		all := machine.Whole(keys.SpacePart, removed)
		b.DeleteRange(all.Lower, all.Upper)
	})
	minutes(1)
	if _, up := m.Replica(mended); !up || m.Stuck() != 0 || len(f.later) > 0 {
		t.Errorf("the mended partition is up: %v, %d are stuck, %d tries are to come", up, m.Stuck(), len(f.later))
	}
	if lines := strings.Count(told.String(), "has started"); lines != 1 {
		t.Errorf("that a partition has started was said %d times", lines)
	}
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
}

func arrive(t *testing.T, m *member, partition uint64) {
	t.Helper()
	part := machine.Born(partition, partition, command.Bounds{})
	part.Descriptor.Members, part.Descriptor.NextReplica = []command.Member{{Replica: 1, Node: m.id}}, 2
	if err := m.Arrive(part); err != nil {
		t.Fatal(err)
	}
}

// A partition may come to a node before that has begun to start its own.
func TestPartitionThatComesEarly(t *testing.T) {
	f := &convoy{t: t, clock: clock.NewManual(time.UnixMilli(1_000_000))}
	files := engine.Memory()
	m := f.assemble(files)
	f.recover(m)
	if err := m.Abandon(); err != nil {
		t.Fatal(err)
	}
	f.nodes = nil
	m = f.assemble(files)
	arrive(t, m, 501)
	m.Bear()
	f.recover(m)
	if _, up := m.Replica(501); !up {
		t.Error("it is not up")
	}
	if err := m.Abandon(); err != nil {
		t.Error(err)
	}
}
