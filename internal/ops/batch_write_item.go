package ops

import (
	"context"
	"maps"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/partition/command"
)

// batchWritesMax bounds the puts and deletes of a BatchWriteItem over all its tables (semantics §4).
const batchWritesMax = 25

const duplicateKeys = "Provided list of item keys contains duplicates"

// BatchWriteItem puts and deletes up to 25 items of any tables, each on its own. What is throttled comes back as unprocessed, unless
// everything is.
func (o *Ops) BatchWriteItem(ctx context.Context, in *api.BatchWriteItemInput) (*api.BatchWriteItemOutput, error) {
	writes, err := newBatchWrite(in.RequestItems, blind(nil, in.ReturnConsumedCapacity))
	if err != nil {
		return nil, err
	}
	if err := o.planBatchWrite(ctx, writes); err != nil {
		return nil, err
	}
	o.sendBatch(ctx, writes)
	if err := o.checkBatch(writes); err != nil {
		return nil, err
	}
	return batchWriteOutput(in, writes), nil
}

// batchWrite is one put or delete of a batch.
type batchWrite struct {
	planner
	request api.WriteRequest
	name    string   // the table as the request gave it
	item    attr.Map // what holds the key
	planned plannedWrite
	done    written
	err     error
}

// newBatchWrite checks what needs only the request, table by table in the order of their names.
func newBatchWrite(request map[string][]api.WriteRequest, blind bool) ([]batchWrite, error) {
	n := 0
	for _, of := range request {
		n += len(of)
	}
	writes := make([]batchWrite, 0, min(n, batchWritesMax))
	for _, name := range slices.Sorted(maps.Keys(request)) {
		for _, r := range request[name] {
			w := batchWrite{request: r, name: name}
			if err := w.compile(blind); err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
	}
	if len(writes) > batchWritesMax {
		return nil, bare.refuse("Too many items requested for the BatchWriteItem call")
	}
	return writes, nil
}

func (w *batchWrite) compile(blind bool) error {
	switch {
	case (w.request.PutRequest != nil) == (w.request.DeleteRequest != nil):
		// These are the words for none as well.
		return bare.refuse("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case w.request.PutRequest != nil:
		w.item = w.request.PutRequest.Item
		// A put whose key is wrong is refused as a lookup would be (semantics §11.2).
		w.planner = &put{item: w.item, wording: lookupKey, blind: blind}
		if err := older.checkValues(w.item); err != nil {
			return err
		}
		return checkItemSize(w.item)
	default:
		w.item = w.request.DeleteRequest.Key
		w.planner = &removal{key: w.item, blind: blind}
		return older.checkValues(w.item)
	}
}

// planBatchWrite finds all tables, then checks all keys, before anything is written: one bad key fails the whole batch, and so do two writes
// of one item (semantics §11.2). The first write that is bad, or comes again, is what is told of.
func (o *Ops) planBatchWrite(ctx context.Context, writes []batchWrite) error {
	type place struct {
		table uint64
		key   string
	}
	for i := range writes {
		if i > 0 && writes[i].name == writes[i-1].name {
			continue
		}
		if err := o.findTable(ctx, writes[i].name); err != nil {
			return err
		}
	}
	seen := make(map[place]struct{}, len(writes))
	for i := range writes {
		w := &writes[i]
		var err error
		if w.planned, err = o.planWrite(ctx, w.name, w.planner); err != nil {
			return err
		}
		at := place{w.planned.table.ID, string(w.planned.command.Key)}
		if _, twice := seen[at]; twice {
			return bare.refuse(duplicateKeys)
		}
		seen[at] = struct{}{}
	}
	return nil
}

// sendBatch brings all writes to their partitions at once, each on its own: one whose table changed meanwhile is planned again
// alone.
func (o *Ops) sendBatch(ctx context.Context, writes []batchWrite) {
	admitted, commands := make([]*batchWrite, 0, len(writes)), make([]*command.Command, 0, len(writes))
	for i := range writes {
		w := &writes[i]
		if why := o.admitWrite(&w.planned, 1); why != nil {
			w.done = w.planned.throttled(why)
			continue
		}
		admitted, commands = append(admitted, w), append(commands, w.planned.command)
	}
	for i, reply := range o.router.WriteAll(ctx, commands) {
		w := admitted[i]
		o.settleWrite(&w.planned, &reply.Result, 1, reply.Err)
		if o.replan(ctx, reply.Err, 1) {
			w.done, w.err = o.write(ctx, w.name, w.planner)
			continue
		}
		w.done, w.err = written{Result: reply.Result, table: w.planned.table, name: w.name}, reply.Err
	}
}

// checkBatch fails the whole batch for a fault, for a refusal that trying again would meet again, and when not one write was let through.
func (o *Ops) checkBatch(writes []batchWrite) error {
	throttledWrites := 0
	for i := range writes {
		w := &writes[i]
		switch {
		case w.err != nil:
			return w.err
		case w.done.Refusal == command.Throttled:
			throttledWrites++
		case w.done.Refusal == command.Locked:
			// It comes back as unprocessed: the transaction that has the item is over soon.
		case w.done.Refusal != command.Accepted:
			return o.refused(w.done, nil)
		}
	}
	if throttledWrites == len(writes) {
		return o.refused(writes[0].done, nil)
	}
	return nil
}

func batchWriteOutput(in *api.BatchWriteItemInput, writes []batchWrite) *api.BatchWriteItemOutput {
	out := &api.BatchWriteItemOutput{UnprocessedItems: map[string][]api.WriteRequest{}}
	for len(writes) > 0 {
		name := writes[0].name
		var used capacity.Usage
		for len(writes) > 0 && writes[0].name == name {
			w := &writes[0]
			writes = writes[1:]
			if w.done.Refusal != command.Accepted {
				out.UnprocessedItems[name] = append(out.UnprocessedItems[name], w.request)
				continue
			}
			if wantsCapacity(in.ReturnConsumedCapacity) {
				used = used.Plus(capacity.OfWrite(w.done.table, w.done.Before, w.done.After))
			}
			if metrics := w.done.collectionMetrics(in.ReturnItemCollectionMetrics, w.item); metrics != nil {
				if out.ItemCollectionMetrics == nil {
					out.ItemCollectionMetrics = map[string][]api.ItemCollectionMetrics{}
				}
				out.ItemCollectionMetrics[name] = append(out.ItemCollectionMetrics[name], *metrics)
			}
		}
		if c := consumed(in.ReturnConsumedCapacity, name, used); c != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *c)
		}
	}
	return out
}
