package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/storage/record"
	"stator/sim/rows"
	"stator/sim/shards"
)

// quietTime lets what is late arrive.
const quietTime = 2 * time.Second

// finish is the end of a run: the nodes come to rest, everything is read once more, and all that was seen is held together.
func (w *world) finish() error {
	rests := w.Now
	if !w.Run(func() bool { return w.Now > rests+quietTime && w.unrest() == "" }, w.Now+restTime) && w.Failed() == nil {
		return fmt.Errorf("the cluster does not come to rest: %s", w.unrest())
	}
	w.Note("at rest")
	var logs map[uint64]*shards.Log
	var err error
	done := false
	w.Start("last reads", func() {
		c := &client{w, -1}
		logs, err = c.logs()
		done = true
	})
	if !w.Run(func() bool { return done }, w.Now+restTime) && w.Failed() == nil {
		return errors.New("a whole cluster does not answer")
	}
	if err != nil || w.Failed() != nil {
		return err
	}
	if err := w.compare(); err != nil {
		return err
	}
	found, err := w.read()
	if err != nil {
		return err
	}
	w.observe(found)
	catalog := w.machines[0].steps.Catalog()
	return errors.Join(
		found.CheckAtRest(catalog), checkTransactions(found), w.checkLogs(found, logs), w.history.Check(), w.ledger.Check(),
	)
}

// read reads every partition of its leader.
func (w *world) read() (*rows.Rows, error) {
	found := rows.New()
	for _, id := range partitionsOf(w.machines[0].steps.Catalog()) {
		m := w.leader(id)
		if m == nil {
			return nil, fmt.Errorf("partition %d has no leader", id)
		}
		r, _ := m.steps.Replica(id)
		snapshot := m.steps.Engine().Snapshot()
		var failed error
		for _, span := range rows.Spans(r.State().Descriptor) {
			failed = errors.Join(failed, found.Read(snapshot, span))
		}
		if failed = errors.Join(failed, snapshot.Close()); failed != nil {
			return nil, fmt.Errorf("reading partition %d of machine %d: %w", id, m.Number, failed)
		}
	}
	return found, nil
}

// observe notes the items of a cluster at rest as reads.
func (w *world) observe(found *rows.Rows) {
	for _, item := range w.history.Items() {
		w.history.Observe(item, found.Data[item.Table][item.Key].Attributes)
	}
}

// checkTransactions finds locks that nobody took back, and transactions that nobody ended.
func checkTransactions(found *rows.Rows) error {
	for id, locks := range found.Locks {
		if len(locks) > 0 {
			return fmt.Errorf("table %d has %d locks left", id, len(locks))
		}
	}
	for id, transactions := range found.Transactions {
		for suffix, t := range transactions {
			if t.State == record.Pending {
				return fmt.Errorf("transaction %x at %x of table %d was never ended", t.ID, suffix, id)
			}
		}
	}
	return nil
}

// logs reads the streams of all tables, at any node.
func (c *client) logs() (map[uint64]*shards.Log, error) {
	logs := map[uint64]*shards.Log{}
	for _, entry := range c.machines[0].steps.Catalog().Entries() {
		t := entry.Table
		log, err := ask(c, func(ctx context.Context, m *machine) (*shards.Log, error) {
			return shards.Read(ctx, m.steps.Router(), t.ID, t.Streams[0].CreatedMillis)
		})
		if err != nil {
			return nil, fmt.Errorf("reading the stream of table %s: %w", t.Name, err)
		}
		logs[t.ID] = log
		c.result.Shards += len(log.Shards)
		c.result.Changes += log.Changes()
	}
	return logs, nil
}

// checkLogs holds each table's stream against the items it leads to, and against what clients were told.
func (w *world) checkLogs(found *rows.Rows, logs map[uint64]*shards.Log) error {
	for id, log := range logs {
		if err := errors.Join(log.Check(found.Data[id]), log.CheckAcknowledged(id, w.history.Done())); err != nil {
			return fmt.Errorf("the stream of table %d: %w", id, err)
		}
	}
	for _, g := range w.glimpses {
		if len(g.read) > 0 && logs[g.item.Table].Count(g.item.Key, g.read) == 0 {
			return fmt.Errorf("an eventual read of item %x showed what was never there: %q", g.item.Key, g.read)
		}
	}
	return nil
}
