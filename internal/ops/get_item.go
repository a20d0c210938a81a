package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// GetItem reads one item. An absent item has no Item member; a projection that matches nothing of one that is there has an empty Item.
func (o *Ops) GetItem(ctx context.Context, in *api.GetItemInput) (*api.GetItemOutput, error) {
	projection, err := bare.projection(in)
	if err != nil {
		return nil, err
	}
	planned, err := o.planRead(ctx, *in.TableName, lookup{key: in.Key, projection: projection, strong: value(in.ConsistentRead), lend: true})
	if err != nil {
		return nil, err
	}
	found, err := o.read(ctx, planned)
	if err != nil {
		return nil, err
	}
	return &api.GetItemOutput{
		Item:             projected(projection, found.Item),
		ConsumedCapacity: planned.consumed(in.ReturnConsumedCapacity, found.Size),
		Arena:            found.Arena,
	}, nil
}

// projection checks what needs only the request, in DynamoDB's order (semantics §16).
func (v voice) projection(in *api.GetItemInput) (*expr.Projection, error) {
	err := mixture{
		expressions: []parameter{{"ProjectionExpression", in.ProjectionExpression != nil}},
		legacy:      []parameter{{"AttributesToGet", in.AttributesToGet != nil}},
		names:       in.ExpressionAttributeNames,
	}.check(v)
	if err != nil {
		return nil, err
	}
	if err := v.checkValues(in.Key); err != nil {
		return nil, err
	}
	if in.ProjectionExpression == nil {
		return attributesToGet(in.AttributesToGet)
	}
	x := newExpressions(v, in.ExpressionAttributeNames, nil)
	projection := x.projection(in.ProjectionExpression)
	return projection, x.finish()
}

// lookup is a wish to read one item.
type lookup struct {
	key        attr.Map
	projection *expr.Projection
	strong     bool
	lend       bool // the answer releases the item's arena
}

func (l lookup) plan(t *table.Table) (command.Get, error) {
	suffix, err := keySuffix(t, l.key)
	if err != nil {
		return command.Get{}, err
	}
	if err := checkKeyPaths(t, l.projection.Paths()); err != nil {
		return command.Get{}, err
	}
	return command.Get{Table: t.ID, TableVersion: t.Version, Key: suffix, Strong: l.strong, Lend: l.lend}, nil
}

// plannedRead is a lookup with the read it became for the table as it was described then.
type plannedRead struct {
	lookup
	name  string // as the request gave it
	table *table.Table
	get   command.Get
}

func (o *Ops) planRead(ctx context.Context, name string, l lookup) (plannedRead, error) {
	return planFor(ctx, o, name, func(t *table.Table) (plannedRead, error) {
		get, err := l.plan(t)
		return plannedRead{lookup: l, name: name, table: t, get: get}, err
	})
}

// read brings a lookup to its partition. It is planned again when the table's description had changed meanwhile.
func (o *Ops) read(ctx context.Context, p plannedRead) (command.GetResult, error) {
	for plans := 1; ; plans++ {
		request := p.request()
		if err := o.admitRead(request); err != nil {
			return command.GetResult{}, err
		}
		found, err := o.router.Read(ctx, p.get)
		err = o.settleRead(request, p.usage(found.Size).Table, err)
		if len(found.Item) > 0 {
			o.countSizes(p.table, capacity.Reads, 1, int64(found.Size))
		}
		if !o.replan(ctx, err, plans) {
			return found, err
		}
		if p, err = o.planRead(ctx, p.name, p.lookup); err != nil {
			return command.GetResult{}, err
		}
	}
}

// request is what the table has to pay at the least.
func (p *plannedRead) request() capacity.Request {
	return capacity.Request{Payer: capacity.Payer{Table: p.table}, Kind: capacity.Reads, Units: p.usage(0).Table, Key: p.get.Key}
}

// projected is the part of an item that was asked for; a missing item stays missing.
func projected(p *expr.Projection, item attr.Map) attr.Map {
	if len(item) == 0 {
		return nil
	}
	return p.Apply(item)
}
