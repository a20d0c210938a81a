package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// pageBytesMax is how much a Query or Scan evaluates before its page ends (semantics §10.1).
const pageBytesMax = 1 << 20

// pageRequest is what Query and Scan have in common, after the checks that need only the request.
type pageRequest struct {
	table     string // as the request gave it
	index     *string
	start     attr.Map
	filter    *expr.Condition
	selection selection
	limit     int
	strong    bool
	reverse   bool
}

// walker is a Query or Scan that passed those checks. Its plan may be made more than once.
type walker interface {
	plan(t *table.Table) (plannedWalk, error)
}

// plannedWalk is a walk of the source in the range that is left of it.
type plannedWalk struct {
	source source
	plan   command.Plan
	within keyRange
}

// page is what a walk brought, with what it walked.
type page struct {
	command.Page
	source source
	strong bool
}

// walk plans a Query or Scan and brings one page, or plans it again when the table's description had changed meanwhile. The page's arena
// goes with the answer.
func (o *Ops) walk(ctx context.Context, name string, w walker) (page, error) {
	for plans := 1; ; plans++ {
		planned, err := planFor(ctx, o, name, w.plan)
		if err != nil {
			return page{}, err
		}
		planned.plan.Lend = true
		answer, err := o.walkOnce(ctx, planned)
		if !o.replan(ctx, err, plans) {
			return answer, err
		}
	}
}

// collection is what the places of the source begin with that share the partition key that is asked for; nil for a scan.
func (w plannedWalk) collection() []byte {
	if w.within.collection == nil {
		return nil
	}
	hash, _ := keys.SplitSuffix(w.within.collection, len(w.source.key().Hash))
	return hash
}

// walkOnce brings a planned walk's page.
func (o *Ops) walkOnce(ctx context.Context, w plannedWalk) (page, error) {
	p := page{source: w.source, strong: w.plan.Strong}
	if w.within.empty() {
		return p, nil
	}
	request := capacity.Request{Payer: p.payer(), Kind: capacity.Reads, Units: p.usage().Total(), Key: w.collection()}
	if err := o.admitRead(request); err != nil {
		return p, err
	}
	var err error
	p.Page, err = o.router.Scan(ctx, w.plan)
	o.countSizes(p.source.table, capacity.Reads, int64(p.Examined), p.Bytes)
	return p, o.settleRead(request, p.usage().Total(), err)
}

// payer is the table for its items and the entries of local indexes, a global index for its own.
func (p page) payer() capacity.Payer {
	if p.source.global() {
		return capacity.Payer{Table: p.source.table, Index: p.source.index}
	}
	return capacity.Payer{Table: p.source.table}
}

// source is what the request reads; a global index cannot be read consistently.
func (r *pageRequest) source(t *table.Table) (source, error) {
	s, err := sourceOf(t, r.index)
	if err != nil {
		return source{}, err
	}
	if s.global() && r.strong {
		return source{}, api.NewValidationException("Consistent reads are not supported on global secondary indexes")
	}
	return s, nil
}

// walkOf is the walk over what is left of within. Paths into key attributes and a selection that the source cannot give are refused.
func (r *pageRequest) walkOf(s source, within keyRange) (plannedWalk, error) {
	if err := checkKeyPaths(s.table, r.selection.projection.Paths()); err != nil {
		return plannedWalk{}, err
	}
	if err := r.selection.checkGlobal(s); err != nil {
		return plannedWalk{}, err
	}
	p := s.plan()
	p.Lower, p.Upper = within.lower, within.upper
	p.Reverse, p.Limit, p.Strong, p.Filter = r.reverse, r.limit, r.strong, r.filter
	r.selection.apply(s, &p)
	if err := checkKeyPaths(s.table, r.filter.Paths()); err != nil {
		return plannedWalk{}, err
	}
	return plannedWalk{source: s, plan: p, within: within}, nil
}

// items are the items to show: none at all when only their count was asked for, otherwise a list even when it is empty.
func (p page) items(kind string) []attr.Map {
	switch {
	case kind == api.SelectCount:
		return nil
	case p.Items == nil:
		return []attr.Map{}
	default:
		return p.Items
	}
}

// lastKey is the LastEvaluatedKey: the key of the last item looked at, absent only when the range is exhausted (semantics §10.1, §10.2).
func (p page) lastKey() attr.Map {
	if p.Reason == command.Done || len(p.LastItem) == 0 {
		return nil
	}
	return p.LastItem.Only(p.source.keyNames()...)
}

func (p page) count() *int64   { return whole(p.Matched) }
func (p page) scanned() *int64 { return whole(p.Examined) }

func whole(n int) *int64 {
	n64 := int64(n)
	return &n64
}

// consumed is what the page cost: the sizes of all items looked at, rounded once (semantics §3.4).
func (p page) consumed(kind *string, name string) *api.ConsumedCapacity {
	if !wantsCapacity(kind) {
		return nil
	}
	return consumed(kind, name, p.usage())
}

func (p page) usage() capacity.Usage {
	index := ""
	if p.source.index != nil {
		index = p.source.index.Name
	}
	return capacity.OfRead(p.source.table, index, capacity.Reading{
		Bytes: p.Bytes, Fetched: p.FetchUnits, Consistent: p.strong,
	})
}
