package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/partiql"
	"stator/internal/model/table"
)

// executeSelect reads a page of what a SELECT asks for.
func (o *Ops) executeSelect(ctx context.Context, in *api.ExecuteStatementInput, b *partiql.Bound) (*api.ExecuteStatementOutput, error) {
	digest := tokenDigest(*in.Statement, in.Parameters)
	from, err := readToken(in.NextToken, digest)
	if err != nil {
		return nil, err
	}
	page, err := o.walkStatement(ctx, statementRead{
		Bound: b, from: from, limit: int(value(in.Limit)), strong: value(in.ConsistentRead),
	})
	if err != nil {
		return nil, err
	}
	out := &api.ExecuteStatementOutput{Items: page.items, ConsumedCapacity: consumed(in.ReturnConsumedCapacity, b.Table, page.used)}
	if page.next.start != nil {
		out.NextToken, out.LastEvaluatedKey = page.next.token(digest), page.next.start
	}
	return out, nil
}

// statementRead is a wish to read a page of what a SELECT asks for.
type statementRead struct {
	*partiql.Bound

	from   position
	limit  int
	strong bool
	scans  bool // no condition names the partition key
}

// statementPage is what it brought. next has no start when nothing is left.
type statementPage struct {
	items    []attr.Map
	examined int
	used     capacity.Usage
	next     position
}

// walkStatement plans a SELECT and reads its stretches one after the other, or plans it again when the table's description had changed meanwhile.
func (o *Ops) walkStatement(ctx context.Context, r statementRead) (statementPage, error) {
	for plans := 1; ; plans++ {
		var t *table.Table
		walks, err := planFor(ctx, o, r.Table, func(found *table.Table) ([]plannedWalk, error) {
			t = found
			return r.plan(t)
		})
		if err != nil {
			return statementPage{}, err
		}
		page, err := o.walkAll(ctx, r, walks)
		if o.replan(ctx, err, plans) {
			continue
		}
		if err == nil && r.scans {
			o.countScan(t, &page)
		}
		return page, err
	}
}

// walkAll reads until the page is full or nothing is left. All stretches share the page's limit and budget, and each is charged as a query of its own.
func (o *Ops) walkAll(ctx context.Context, r statementRead, walks []plannedWalk) (statementPage, error) {
	all := statementPage{items: []attr.Map{}}
	limit, bytes := r.limit, int64(pageBytesMax)
	for i := r.from.stretch; i < len(walks); i++ {
		walks[i].plan.Limit, walks[i].plan.Bytes = limit, bytes
		one, err := o.walkOnce(ctx, walks[i])
		if err != nil {
			return statementPage{}, err
		}
		all.items = append(all.items, one.Items...)
		all.examined += one.Examined
		all.used = all.used.Plus(one.usage())
		if last := one.lastKey(); last != nil {
			all.next = position{stretch: i, start: last}
			return all, nil
		}
		bytes -= one.Bytes
		if limit > 0 {
			limit -= one.Examined
		}
	}
	return all, nil
}

// plan is the walks of a SELECT: of a few stretches when its condition names the partition key, else of all there is.
func (r *statementRead) plan(t *table.Table) ([]plannedWalk, error) {
	s, err := r.source(t)
	if err != nil {
		return nil, err
	}
	if err := r.CheckColumns(); err != nil {
		return nil, refuseStatement(err)
	}
	branches, err := r.Where.Branches(s.key().Hash[0].Name, sortName(s.key()))
	if err != nil {
		return nil, refuseStatement(err)
	}
	stretches, err := s.stretches(branches)
	if err != nil {
		return nil, err
	}
	if err := r.checkOrder(s.key(), stretches); err != nil {
		return nil, err
	}
	if err := s.checkRest(stretches); err != nil {
		return nil, err
	}
	stretches = merged(stretches)
	reverse := r.arrange(s.key(), stretches)
	request := pageRequest{strong: r.strong, reverse: reverse, selection: selection{projection: r.Columns}}
	if r.scans = branches == nil; r.scans {
		stretches, request.filter = []stretch{{}}, r.Where.Condition()
	} else if filtered(stretches) {
		request.filter = r.Where.Condition()
	}
	return r.walks(s, &request, stretches)
}

func (r *statementRead) walks(s source, request *pageRequest, stretches []stretch) ([]plannedWalk, error) {
	if r.from.stretch >= len(stretches) {
		return nil, api.NewValidationException(invalidToken)
	}
	walks := make([]plannedWalk, len(stretches))
	for i, one := range stretches {
		within := one.keyRange
		if i == r.from.stretch && r.from.start != nil {
			place, ok := s.place(r.from.start)
			if !ok || !within.holds(place) {
				return nil, api.NewValidationException(invalidToken)
			}
			within = within.after(place, request.reverse)
		}
		var err error
		if walks[i], err = request.walkOf(s, within); err != nil {
			return nil, err
		}
	}
	return walks, nil
}

// source is what the statement reads. PartiQL has words of its own for what cannot be read, and no index with several attributes of one kind in its key.
func (r *statementRead) source(t *table.Table) (source, error) {
	if r.Index == "" {
		return source{table: t}, nil
	}
	if _, local := t.LocalIndex(r.Index); !local {
		index, ok := t.GlobalIndex(r.Index)
		switch {
		case !ok || index.Status == table.IndexDeleting:
			return source{}, api.NewValidationException("The table does not have the specified index")
		case len(index.Key.Hash) > 1 || len(index.Key.Range) > 1:
			return source{}, api.NewValidationException(
				"PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.")
		case r.strong:
			return source{}, api.NewValidationException("Strongly consistent read is not supported on Global Secondary Indexes")
		}
	}
	return sourceOf(t, &r.Index)
}

// checkOrder refuses an ORDER BY that the order of keys cannot serve.
func (r *statementRead) checkOrder(key table.Key, stretches []stretch) error {
	if len(r.Order) == 0 {
		return nil
	}
	if r.Where == nil {
		return api.NewValidationException("Must have WHERE clause in the statement when using ORDER BY clause.")
	}
	byHash := false
	for _, o := range r.Order {
		if !key.Has(o.Name) {
			return api.NewValidationException("Attribute " + o.Name + " in ORDER BY clause must be part of the primary key")
		}
		byHash = byHash || o.Name == key.Hash[0].Name
	}
	if stretches == nil {
		return api.NewValidationException("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	for _, one := range stretches[1:] {
		if !byHash && !attr.Equal(one.hash, stretches[0].hash) {
			return api.NewValidationException(
				"Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.")
		}
	}
	return nil
}
