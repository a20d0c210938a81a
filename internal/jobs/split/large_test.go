package split_test

import (
	"context"
	"errors"
	"testing"

	"stator/internal/jobs/split"
	"stator/internal/node/nodetest"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// crowded is a host of one node whose partitions are said to be too large.
type crowded struct {
	*nodetest.Node
	middle []byte
	fails  error
	large  []uint64
}

func (c *crowded) Large(int64) []uint64 { return c.large }

func (c *crowded) Start(uint64) error { return nil }

func (c *crowded) Missing(machine.Descriptor) func() (command.Stats, error) {
	return func() (command.Stats, error) { return command.Stats{}, errors.New("nothing was split") }
}

func (c *crowded) Rows(_ machine.Descriptor, _ []byte, _ int, each func([]byte, int)) ([]byte, error) {
	if c.fails == nil {
		each(c.middle, 1)
	}
	return nil, c.fails
}

// A partition that has no middle is left alone for long, one whose split failed for a moment, one of a table that goes for ever, and the
// others have their turn.
func TestLeftAlone(t *testing.T) {
	n, made := held(t, nil, 3)
	host := &crowded{Node: n, middle: nodetest.Suffix("a", "b")}
	for _, p := range n.Catalog().Partitions(made.ID) {
		host.large = append(host.large, p.ID)
	}
	now := int64(1000)
	j := &split.Job{Catalog: n.Catalog(), Host: host, Wait: replica.Wait(n.Wait), BytesMax: 1, NowMillis: func() int64 { return now }}
	step := func(want error, more bool) {
		t.Helper()
		if got, err := j.Step(context.Background()); got != more || !errors.Is(err, want) {
			t.Errorf("a step gives %v, %v; want %v, %v", got, err, more, want)
		}
	}
	host.fails = errors.New("the disk is gone")
	step(host.fails, true)
	host.fails = nil
	step(split.ErrNothing, true)
	step(split.ErrNothing, true)
	step(nil, false)
	now += 10 * 1000
	step(split.ErrNothing, true)
	now += 9*60*1000 + 45*1000
	step(nil, false)
	now += 10 * 1000
	step(split.ErrNothing, true)
	step(split.ErrNothing, true)
	step(nil, false)
	now += 10 * 60 * 1000
	step(split.ErrNothing, true)
	host.large = []uint64{machine.CatalogPartition}
	step(nil, false)
}
