package sim

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/storage/record"
	"stator/sim/rows"
	"stator/sim/shards"
)

// checkStore holds everything that the store keeps twice against each other.
func (w *world) checkStore() error {
	found, err := w.read()
	if err != nil {
		return err
	}
	return found.Check(w.node.Catalog())
}

// checkAtRest is checkStore with what is only true when nothing is left to do.
func (w *world) checkAtRest() error {
	w.run.note("at rest")
	found, err := w.read()
	if err == nil {
		err = errors.Join(found.CheckAtRest(w.node.Catalog()), w.checkStreams(found))
	}
	if err != nil {
		return fmt.Errorf("at rest: %w", err)
	}
	return nil
}

// checkStreams holds each table's stream against the items it leads to, and against what clients were told.
func (w *world) checkStreams(found *rows.Rows) error {
	for _, entry := range w.node.Catalog().Entries() {
		id, streams := entry.Table.ID, entry.Table.Streams
		if len(streams) == 0 {
			continue
		}
		log, err := shards.Read(context.Background(), w.node.Router(), id, streams[0].CreatedMillis)
		if err == nil {
			err = errors.Join(log.Check(found.Data[id]), log.CheckAcknowledged(id, w.run.history.Done()))
		}
		if err != nil {
			return fmt.Errorf("the stream of table %s: %w", entry.Table.Name, err)
		}
		w.run.result.Changes += log.Changes()
	}
	return nil
}

// read reads the whole store.
func (w *world) read() (*rows.Rows, error) {
	found, snapshot := rows.New(), w.node.Engine().Snapshot()
	err := found.Read(snapshot, command.Bounds{})
	if err = errors.Join(err, snapshot.Close()); err == nil {
		w.observe(found.Data)
	}
	return found, err
}

// observe notes the items of a store at rest as reads.
func (w *world) observe(data map[uint64]map[string]record.Item) {
	for _, item := range w.run.history.Items() {
		if data[item.Table] == nil {
			continue // the table is gone, or empty and maybe gone
		}
		w.run.history.Observe(item, data[item.Table][item.Key].Attributes)
	}
}
