package node

import (
	"context"
	"sync"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// heldMax bounds the partitions led elsewhere of which it is remembered what they held; with one more, all are forgotten.
const heldMax = 1 << 16

// livePort is the catalog with the live statistics of partitions.
type livePort struct {
	*catalog.Catalog
	// here finds the copies whose statistics are at hand.
	here func(partition uint64) (*replica.Replica, bool)
	// elsewhere asks the leaders of other partitions; nil where there are none. One that does not say has no report.
	elsewhere func(ctx context.Context, partitions []catalog.Partition) ([]command.Report, error)
	pause     func(ctx context.Context, d time.Duration) error

	mu sync.Mutex
	// last is what partitions elsewhere said, for when their leaders do not answer.
	last map[uint64]command.Stats
}

func newLivePort(n *Node) *livePort {
	if n.cluster == nil {
		return &livePort{Catalog: n.catalog, here: n.host.Replica, pause: n.options.Pause}
	}
	return &livePort{
		Catalog: n.catalog, here: n.host.Led, elsewhere: n.router.Reports, pause: n.options.Pause, last: map[uint64]command.Stats{},
	}
}

// A table that is made, changed or deleted is waited for, as long and as often as this.
const (
	awaitTries = 200
	awaitPause = 5 * time.Millisecond
)

// Await implements ops.Catalog.
func (p *livePort) Await(ctx context.Context, t *table.Table) {
	for range awaitTries {
		now, ok := p.TableByID(t.ID)
		if !ok || now.State == table.Active || p.pause(ctx, awaitPause) != nil {
			return
		}
	}
}

// Stats adds up what the partitions of a table and of its indexes hold.
func (p *livePort) Stats(ctx context.Context, t *table.Table) (table.Statistics, error) {
	stats := table.Statistics{Indexes: map[string]table.Count{}}
	held := p.held(ctx, t)
	local := map[uint32]command.Tally{}
	for _, partition := range p.Partitions(t.ID) {
		part := held[partition.ID]
		stats.Items += part.Items
		stats.Bytes += part.Bytes
		for index, tally := range part.Local {
			sum := local[index]
			local[index] = command.Tally{Items: sum.Items + tally.Items, Bytes: sum.Bytes + tally.Bytes}
		}
	}
	for i := range t.Local {
		tally := local[uint32(t.Local[i].ID)]
		stats.Indexes[t.Local[i].Name] = table.Count{Items: tally.Items, Bytes: tally.Bytes}
	}
	for i := range t.Global {
		var count table.Count
		for _, partition := range p.Partitions(t.Global[i].ID) {
			count.Items += held[partition.ID].Items
			count.Bytes += held[partition.ID].Bytes
		}
		stats.Indexes[t.Global[i].Name] = count
	}
	return stats, nil
}

// held is what each partition of a table and of its indexes holds. A new table's hold nothing, and may not be born.
func (p *livePort) held(ctx context.Context, t *table.Table) map[uint64]command.Stats {
	held := map[uint64]command.Stats{}
	var others []catalog.Partition
	of := func(tableID uint64) {
		for _, partition := range p.Partitions(tableID) {
			if r, ok := p.here(partition.ID); ok {
				held[partition.ID] = r.State().Applied.Stats
			} else {
				others = append(others, partition)
			}
		}
	}
	of(t.ID)
	for i := range t.Global {
		of(t.Global[i].ID)
	}
	if len(others) > 0 && p.elsewhere != nil && t.State != table.Creating {
		// Of a partition without a leader the last that is known has to do: counts need not be exact.
		reports, _ := p.elsewhere(ctx, others)
		p.remember(reports, others, held)
	}
	return held
}

// remember adds what leaders elsewhere say to what is held, and for those that do not answer what they said last.
func (p *livePort) remember(reports []command.Report, partitions []catalog.Partition, held map[uint64]command.Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last)+len(reports) > heldMax {
		p.last = map[uint64]command.Stats{}
	}
	for i := range reports {
		if reports[i].Partition != 0 {
			p.last[reports[i].Partition] = reports[i].Stats
		}
	}
	for _, partition := range partitions {
		held[partition.ID] = p.last[partition.ID]
	}
}
