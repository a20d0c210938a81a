package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"sync"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/model/capacity"
	"stator/internal/storage/keys"
)

const (
	// meterEvery is how often it is counted what was consumed: what is said of a minute is right to that.
	meterEvery = time.Second
	// meterMinutesMax is how many minutes the books are kept for: fifteen days, as CloudWatch keeps its minutes.
	meterMinutesMax = 15 * 24 * 60
	// meterTrimEvery is how many minutes pass between two looks for older ones.
	meterTrimEvery = 60
)

// meter is the books of what the requests that came to this node consumed: a row a minute in the node's own space, so that they outlive
// the process. Nobody else has them: what a cluster consumed is the sum of all nodes' books.
type meter struct {
	mu     sync.Mutex // guards what follows
	minute int64      // the one under way, since the epoch; 0 before the first count
	now    budget.Minute
}

// meterPrefix is what the keys of the books begin with; the minute follows, big end first.
const meterPrefix = "meter/"

func meterKey(minute int64) []byte {
	return binary.BigEndian.AppendUint64(keys.Node(meterPrefix), uint64(minute))
}

// count brings what was consumed since the last time into the books, and closes the minute that is over.
func (n *Node) count(context.Context) error {
	minute := n.minute()
	n.insights.served(minute)
	over, err := n.countOn()
	if over {
		n.budget.Keep(func(id uint64) bool { _, there := n.payer(id); return there })
		n.insights.forget(minute)
	}
	return err
}

// countOn counts under one lock from the look at the clock to the books: what one count has taken from the budget and not yet written
// down, another would miss, and what was taken in one minute might be written down in the next.
func (n *Node) countOn() (over bool, err error) {
	m := &n.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	minute := n.minute()
	if over = m.minute != minute; over {
		if m.minute != 0 {
			err = n.enter(m.minute, m.now)
		}
		if err == nil {
			err = m.begin(n, minute)
		}
		if err != nil {
			return false, err
		}
	}
	turned := n.budget.Turn()
	n.totals.add(n.together(turned))
	m.now.Add(turned)
	return over, nil
}

// begin goes on with what was written down of a minute.
func (m *meter) begin(n *Node, minute int64) error {
	begun, err := n.book(minute)
	if err == nil {
		m.minute, m.now = minute, begun
	}
	return err
}

// closeMeter writes down the minute under way: another start of the node goes on with it.
func (n *Node) closeMeter() error {
	if n.budget == nil || n.catalog == nil {
		return nil
	}
	if err := n.count(context.Background()); err != nil {
		return err
	}
	n.meter.mu.Lock()
	defer n.meter.mu.Unlock()
	return n.enter(n.meter.minute, n.meter.now)
}

// enter writes a minute down, and now and then lets the oldest go.
func (n *Node) enter(minute int64, m budget.Minute) error {
	batch := n.engine.NewBatch()
	defer batch.Close()
	if len(m) > 0 {
		batch.Set(meterKey(minute), m.Append(nil))
	}
	if minute%meterTrimEvery == 0 {
		batch.DeleteRange(keys.Node(meterPrefix), meterKey(minute-meterMinutesMax))
	}
	if err := n.engine.Commit(batch, false); err != nil {
		return fmt.Errorf("writing down what was consumed: %w", err)
	}
	return nil
}

// book is what was written down of a minute.
func (n *Node) book(minute int64) (budget.Minute, error) {
	m := budget.Minute{}
	stored, found, err := n.engine.Get(meterKey(minute))
	if err == nil && found {
		m, err = budget.ParseMinute(stored)
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was consumed in minute %d: %w", minute, err)
	}
	return m, nil
}

// Consumed is what the requests that came to this node consumed in the minutes [from, to) since the epoch; minutes without any are left
// out.
func (n *Node) Consumed(from, to int64) (map[int64]budget.Minute, error) {
	minutes := map[int64]budget.Minute{}
	if n.budget == nil {
		return minutes, nil
	}
	// The disk and the minute under way as of one moment: one that is closed in between would be in neither.
	m := &n.meter
	m.mu.Lock()
	snapshot, minute, now := n.engine.Snapshot(), m.minute, maps.Clone(m.now)
	m.mu.Unlock()
	defer snapshot.Close()
	err := scan(snapshot, meterKey(from), meterKey(to), func(key, value []byte) (err error) {
		minute := int64(binary.BigEndian.Uint64(key[len(key)-8:]))
		if minutes[minute], err = budget.ParseMinute(value); err != nil {
			return fmt.Errorf("minute %d: %w", minute, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was consumed: %w", err)
	}
	if minute >= from && minute < to && len(now) > 0 {
		minutes[minute] = now
	}
	return minutes, nil
}

// saved is how much of a payer's units the books leave over for bursts: what the last minutes brought, since there is such a table or
// index, and was not consumed. Books that cannot be read leave nothing.
func (n *Node) saved(p capacity.Payer) (units [capacity.Kinds]float64) {
	now := n.nowMillis()
	created := p.Table.CreatedMillis
	if p.Index != nil {
		created = p.Index.CreatedMillis
	}
	minute := now / time.Minute.Milliseconds()
	minutes, err := n.Consumed(minute-capacity.BurstSeconds/60, minute+1)
	if err != nil {
		n.options.Log.Error("what was saved up for bursts is not known, and begins at nothing", "table", p.Table.Name, "error", err)
		return units
	}
	age := float64(now-created) / 1000
	for kind := range capacity.Kinds {
		bound := p.Bound(kind)
		units[kind] = bound.PerSecond * min(max(age, 0), bound.BurstSeconds)
		for _, m := range minutes {
			units[kind] -= m[p.ID()].Consumed[kind]
		}
		units[kind] = max(0, units[kind])
	}
	return units
}
