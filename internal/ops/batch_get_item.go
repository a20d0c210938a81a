package ops

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
)

// batchKeysMax bounds the keys of a BatchGetItem over all its tables, batchBytesMax the items in its answer (semantics §4).
const (
	batchKeysMax  = 100
	batchBytesMax = 16 << 20
)

// BatchGetItem reads up to a hundred items of any tables. What the answer has no room for comes back as unprocessed, and so does what is
// throttled, unless everything is.
func (o *Ops) BatchGetItem(ctx context.Context, in *api.BatchGetItemInput) (*api.BatchGetItemOutput, error) {
	tables, err := newBatchGet(in.RequestItems)
	if err != nil {
		return nil, err
	}
	reads, err := o.planBatchGet(ctx, tables)
	if err != nil {
		return nil, err
	}
	if err := o.readBatch(ctx, reads); err != nil {
		return nil, err
	}
	return batchGetOutput(in, tables, reads), nil
}

// tableKeys is one table's part of a BatchGetItem.
type tableKeys struct {
	api.KeysAndAttributes
	name       string // as the request gave it
	projection *expr.Projection
}

// batchRead is one key of a batch. A read that is not done is unprocessed.
type batchRead struct {
	plannedRead
	found command.GetResult
	done  bool
	err   error
}

// newBatchGet checks what needs only the request, table by table in the order of their names.
func newBatchGet(request map[string]api.KeysAndAttributes) ([]tableKeys, error) {
	var tables []tableKeys
	for _, name := range slices.Sorted(maps.Keys(request)) {
		tables = append(tables, tableKeys{KeysAndAttributes: request[name], name: name})
	}
	if err := checkBatchMix(tables); err != nil {
		return nil, err
	}
	keys := 0
	for i := range tables {
		if err := tables[i].compile(); err != nil {
			return nil, err
		}
		keys += len(tables[i].Keys)
	}
	if keys > batchKeysMax {
		return nil, bare.refuse("Too many items requested for the BatchGetItem call")
	}
	return tables, nil
}

// checkBatchMix refuses legacy and expression parameters in one request, even of different tables (semantics §9.1).
func checkBatchMix(tables []tableKeys) error {
	all := mixture{expressions: []parameter{{name: "ProjectionExpression"}}, legacy: []parameter{{name: "AttributesToGet"}}}
	for _, t := range tables {
		own := mixture{
			expressions: []parameter{{"ProjectionExpression", t.ProjectionExpression != nil}},
			legacy:      []parameter{{"AttributesToGet", t.AttributesToGet != nil}},
			names:       t.ExpressionAttributeNames,
		}
		if err := own.check(bare); err != nil {
			return err
		}
		all.expressions[0].given = all.expressions[0].given || t.ProjectionExpression != nil
		all.legacy[0].given = all.legacy[0].given || t.AttributesToGet != nil
	}
	return all.check(bare)
}

// compile checks one table's parameters and keys. Keys are canonical, so equal keys have equal bytes.
func (t *tableKeys) compile() error {
	var err error
	if t.projection, err = attributesToGet(t.AttributesToGet); err != nil {
		return err
	}
	if t.ProjectionExpression != nil {
		x := newExpressions(bare, t.ExpressionAttributeNames, nil)
		t.projection = x.projection(t.ProjectionExpression)
		if err := x.finish(); err != nil {
			return err
		}
	}
	seen := make(map[string]struct{}, len(t.Keys))
	for _, key := range t.Keys {
		if err := bare.checkValues(key); err != nil {
			return err
		}
		seen[string(key)] = struct{}{}
	}
	if len(seen) < len(t.Keys) {
		return bare.refuse(duplicateKeys)
	}
	return nil
}

// planBatchGet finds all tables and checks all keys before anything is read: one bad key fails the whole batch (semantics §11.1).
func (o *Ops) planBatchGet(ctx context.Context, tables []tableKeys) ([]batchRead, error) {
	var reads []batchRead
	for _, t := range tables {
		for _, key := range t.Keys {
			planned, err := o.planRead(ctx, t.name, lookup{key: key, projection: t.projection, strong: value(t.ConsistentRead)})
			if err != nil {
				return nil, err
			}
			reads = append(reads, batchRead{plannedRead: planned})
		}
	}
	return reads, nil
}

// readBatch reads side by side until the answer is full, then gives back what does not fit into it: the reads that were
// under way when it filled up.
func (o *Ops) readBatch(ctx context.Context, reads []batchRead) error {
	var read atomic.Int64
	o.fan.run(len(reads), func(i int) {
		if read.Load() >= batchBytesMax {
			return
		}
		r := &reads[i]
		r.found, r.err = o.read(ctx, r.plannedRead)
		r.done = r.err == nil
		read.Add(int64(r.found.Size))
	})
	room, throttledReads := batchBytesMax, 0
	for i := range reads {
		r := &reads[i]
		if isThrottled(r.err) {
			throttledReads++
			continue
		}
		if r.err != nil {
			return r.err
		}
		room -= r.found.Size
		r.done = r.done && room >= 0
	}
	if throttledReads == len(reads) {
		return reads[0].err
	}
	return nil
}

func batchGetOutput(in *api.BatchGetItemInput, tables []tableKeys, reads []batchRead) *api.BatchGetItemOutput {
	out := &api.BatchGetItemOutput{
		Responses:       make(map[string][]attr.Map, len(tables)),
		UnprocessedKeys: map[string]api.KeysAndAttributes{},
	}
	for _, t := range tables {
		items, left := []attr.Map{}, []attr.Map(nil)
		var used capacity.Usage
		own := reads[:len(t.Keys)]
		reads = reads[len(t.Keys):]
		for i := range own {
			if !own[i].done {
				left = append(left, own[i].key)
				continue
			}
			used = used.Plus(own[i].usage(own[i].found.Size))
			if item := projected(t.projection, own[i].found.Item); item != nil {
				items = append(items, item)
			}
		}
		out.Responses[t.name] = items
		if left != nil {
			rest := t.KeysAndAttributes
			rest.Keys = left
			out.UnprocessedKeys[t.name] = rest
		}
		if c := consumed(in.ReturnConsumedCapacity, t.name, used); c != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *c)
		}
	}
	return out
}
