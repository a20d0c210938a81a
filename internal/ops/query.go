package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

const conditionCount = "Conditions can be of length 1 or 2 only"

// keyAttributesMax is how many attributes the key of a global index has at most, all of which a query may name.
const keyAttributesMax = 8

// Query reads a page of one item collection in the order of its sort key.
func (o *Ops) Query(ctx context.Context, in *api.QueryInput) (*api.QueryOutput, error) {
	q, err := newQuery(in)
	if err != nil {
		return nil, err
	}
	page, err := o.walk(ctx, q.table, q)
	if err != nil {
		return nil, err
	}
	return &api.QueryOutput{
		Items:            page.items(q.selection.kind),
		Count:            page.count(),
		ScannedCount:     page.scanned(),
		LastEvaluatedKey: page.lastKey(),
		ConsumedCapacity: page.consumed(in.ReturnConsumedCapacity, q.table),
		Arena:            page.Arena,
	}, nil
}

// query is a wish to read a page of one item collection.
type query struct {
	pageRequest
	condition *expr.KeyCondition
	legacy    bool // the filter came as QueryFilter
}

// newQuery checks what needs only the request, in DynamoDB's order (semantics §16).
func newQuery(in *api.QueryInput) (*query, error) {
	if err := checkQueryMix(in); err != nil {
		return nil, err
	}
	q := &query{legacy: in.FilterExpression == nil, pageRequest: pageRequest{
		table: *in.TableName, index: in.IndexName, start: in.ExclusiveStartKey, limit: int(value(in.Limit)),
		strong: value(in.ConsistentRead), reverse: in.ScanIndexForward != nil && !*in.ScanIndexForward,
		selection: selection{kind: value(in.Select)},
	}}
	if err := q.compileLegacy(in); err != nil {
		return nil, err
	}
	if err := bare.checkStartValues(in.ExclusiveStartKey); err != nil {
		return nil, err
	}
	projection := projectionParameter(in.ProjectionExpression, in.AttributesToGet)
	if err := enveloped.checkSelect(q.selection.kind, projection, in.IndexName); err != nil {
		return nil, err
	}
	if in.KeyConditions == nil && in.KeyConditionExpression == nil {
		return nil, bare.refuse("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	if err := q.compile(in); err != nil {
		return nil, err
	}
	return q, q.checkCondition(in)
}

// checkCondition refuses what is no condition on keys, however it was spelt.
func (q *query) checkCondition(in *api.QueryInput) error {
	if in.KeyConditions == nil {
		return bare.refuseExpression(q.condition.Check())
	}
	var err error
	if q.condition, err = bare.keyConditions(in.KeyConditions); err != nil {
		return err
	}
	if n := len(in.KeyConditions); n == 0 || n > keyAttributesMax {
		return bare.refuse(conditionCount)
	}
	return nil
}

// checkQueryMix lets KeyConditions stand beside expressions as long as there is no KeyConditionExpression (semantics §9.1).
func checkQueryMix(in *api.QueryInput) error {
	legacy := []parameter{{"AttributesToGet", in.AttributesToGet != nil}, {"QueryFilter", in.QueryFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator != nil},
		{"KeyConditions", in.KeyConditions != nil && in.KeyConditionExpression != nil}}
	return mixture{
		expressions: []parameter{{"ProjectionExpression", in.ProjectionExpression != nil},
			{"FilterExpression", in.FilterExpression != nil}, {"KeyConditionExpression", in.KeyConditionExpression != nil}},
		legacy: legacy,
		names:  in.ExpressionAttributeNames,
		values: in.ExpressionAttributeValues,
	}.check(bare)
}

func (q *query) compileLegacy(in *api.QueryInput) error {
	var err error
	if q.filter, err = bare.filter(in.QueryFilter, in.ConditionalOperator); err != nil {
		return err
	}
	q.selection.projection, err = attributesToGet(in.AttributesToGet)
	return err
}

func (q *query) compile(in *api.QueryInput) error {
	if in.KeyConditionExpression == nil && in.FilterExpression == nil && in.ProjectionExpression == nil {
		return nil
	}
	x := newExpressions(bare, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	q.condition = x.keyCondition(in.KeyConditionExpression)
	if in.FilterExpression != nil {
		q.filter = x.condition(expr.FilterExpression, in.FilterExpression)
	}
	if in.ProjectionExpression != nil {
		q.selection.projection = x.projection(in.ProjectionExpression)
	}
	return x.finish()
}

func (q *query) plan(t *table.Table) (plannedWalk, error) {
	s, err := q.source(t)
	if err != nil {
		return plannedWalk{}, err
	}
	match, err := s.matchKey(q.condition, q.start)
	if err != nil {
		return plannedWalk{}, err
	}
	start, err := s.startPlace(q.start)
	if err != nil {
		return plannedWalk{}, err
	}
	within := s.keyRange(match)
	if err := s.checkStart(q.start, start, match, within); err != nil {
		return plannedWalk{}, err
	}
	origin := "Filter Expression"
	if q.legacy {
		origin = "QueryFilter"
	}
	if err := s.checkFilter(q.filter, origin); err != nil {
		return plannedWalk{}, err
	}
	walk, err := q.walkOf(s, within.after(start, q.reverse))
	if s.singular() {
		walk.plan.Limit = 0 // the page ends with its only item and not at a limit, since no query can go on from there
	}
	return walk, err
}
