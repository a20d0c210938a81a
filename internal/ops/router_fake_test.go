package ops

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/go-faster/jx"

	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// naiveRouter keeps items in a map and computes every index entry when it is asked for: slow, and too simple to be wrong.
type naiveRouter struct {
	StreamReader
	mu     sync.Mutex
	tables []*table.Table
	items  map[uint64]map[string]attr.Map
	// refuse, when set, answers a write before it is looked at.
	refuse func(c *command.Command) (command.Result, error)
	writes int
}

func (r *naiveRouter) Write(_ context.Context, c *command.Command) (command.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	if r.refuse != nil {
		if result, err := r.refuse(c); err != nil || result.Refusal != command.Accepted {
			return result, err
		}
	}
	before := r.items[c.Table][string(c.Key)]
	result := command.Result{Before: before, After: before}
	if !c.Condition.Holds(before) {
		result.Refusal = command.ConditionFailed
		return result, nil
	}
	switch c.Action {
	case command.Put:
		result.After = c.Item
	case command.Delete:
		result.After = nil
	default:
		if len(before) == 0 && !c.Update.CreatesItem() {
			return result, nil
		}
		after, err := c.Update.Apply(before, c.Item)
		var invalid *expr.Error
		if errors.As(err, &invalid) {
			return command.Result{Refusal: command.Invalid, Text: invalid.Text, Before: before}, nil
		}
		result.After = after
	}
	if result.After == nil {
		delete(r.items[c.Table], string(c.Key))
	} else {
		if r.items[c.Table] == nil {
			r.items[c.Table] = map[string]attr.Map{}
		}
		r.items[c.Table][string(c.Key)] = result.After
	}
	result.CollectionBytes = 100
	return result, nil
}

func (r *naiveRouter) WriteAll(ctx context.Context, commands []*command.Command) []router.Reply {
	replies := make([]router.Reply, len(commands))
	for i, c := range commands {
		replies[i].Result, replies[i].Err = r.Write(ctx, c)
	}
	return replies
}

func (r *naiveRouter) Read(_ context.Context, g command.Get) (command.GetResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	item := r.items[g.Table][string(g.Key)]
	if item == nil {
		return command.GetResult{}, nil
	}
	return command.GetResult{Item: item, Size: item.Size()}, nil
}

// row is an item or entry at its place, with the whole item.
type row struct {
	place []byte
	entry attr.Map
	whole attr.Map
}

func (r *naiveRouter) Scan(_ context.Context, p command.Plan) (command.Page, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := r.rows(p)
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.place, b.place) })
	if p.Reverse {
		slices.Reverse(rows)
	}
	var page command.Page
	for _, w := range rows {
		if bytes.Compare(w.place, p.Lower) < 0 || (len(p.Upper) > 0 && bytes.Compare(w.place, p.Upper) >= 0) {
			continue
		}
		page.Examined++
		page.Bytes += int64(w.entry.Size())
		shown := w.entry
		if p.Fetch {
			shown = w.whole
			page.FetchUnits++
		}
		if p.Filter.Holds(shown) {
			page.Matched++
			if !p.Discard {
				page.Items = append(page.Items, p.Project.Apply(shown))
			}
		}
		if page.Examined == p.Limit || page.Bytes >= p.Bytes {
			page.Reason, page.Next, page.LastItem = command.Limit, w.place, w.entry
			break
		}
	}
	return page, nil
}

// rows are all rows of the table, local index or hidden table that the plan walks.
func (r *naiveRouter) rows(p command.Plan) []row {
	var rows []row
	for _, t := range r.tables {
		for suffix, item := range r.items[t.ID] {
			if p.Table == t.ID && p.Index == 0 {
				rows = append(rows, row{place: []byte(suffix), entry: item, whole: item})
			}
			for i := range t.Local {
				if ix := &t.Local[i]; p.Table == t.ID && uint64(p.Index) == ix.ID {
					rows = appendRow(rows, localRow(t, ix, item))
				}
			}
			for i := range t.Global {
				if ix := &t.Global[i]; p.Table == ix.ID {
					rows = appendRow(rows, globalRow(t, ix, item))
				}
			}
		}
	}
	return rows
}

func appendRow(rows []row, w row) []row {
	if w.entry == nil {
		return rows
	}
	return append(rows, w)
}

func localRow(t *table.Table, ix *table.Index, item attr.Map) row {
	entry, ok := ix.Entry(t, item)
	if !ok {
		return row{}
	}
	hash, _ := item.Get(t.Key.Hash[0].Name)
	indexRange, _ := item.Get(ix.Key.Range[0].Name)
	tableRange, _ := item.Get(t.Key.Range[0].Name)
	components := keys.AppendComponent(keys.AppendComponent(nil, indexRange), tableRange)
	key := keys.LocalIndex(t.ID, keys.Suffix([]attr.Value{hash}, nil), uint32(ix.ID), components)
	return row{place: bytes.TrimPrefix(key, keys.Prefix(keys.SpaceLocalIndex, t.ID)), entry: entry, whole: item}
}

func globalRow(t *table.Table, ix *table.Index, item attr.Map) row {
	entry, ok := ix.Entry(t, item)
	if !ok {
		return row{}
	}
	var hash, rng []attr.Value
	for _, a := range ix.Key.Hash {
		v, _ := item.Get(a.Name)
		hash = append(hash, v)
	}
	for _, a := range append(slices.Clone(ix.Key.Range), t.Key.Attributes()...) {
		v, _ := item.Get(a.Name)
		rng = append(rng, v)
	}
	return row{place: keys.Suffix(hash, rng), entry: entry, whole: item}
}

// tableCatalog knows some tables and nothing else.
type tableCatalog struct {
	Catalog
	tables []*table.Table
	// elsewhere are tables that it knows once it has asked; asking fails with unreachable.
	elsewhere   []*table.Table
	unreachable error
	asked       int
}

func (c *tableCatalog) Sync(context.Context) error {
	c.asked++
	if c.unreachable != nil {
		return c.unreachable
	}
	c.tables, c.elsewhere = append(c.elsewhere, c.tables...), nil
	return nil
}

func (c *tableCatalog) Table(name string) (*table.Table, bool) {
	for _, t := range c.tables {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

func keyOf(hash, rng string) table.Key {
	k := table.Key{Hash: []table.KeyAttribute{{Name: hash, Type: attr.S}}}
	if rng != "" {
		k.Range = []table.KeyAttribute{{Name: rng, Type: attr.S}}
	}
	return k
}

// hashTable and pairTable are the tables of these tests: one with a partition key only, and one with both keys and indexes of all kinds.
func hashTable() *table.Table {
	return &table.Table{ID: 10, Name: "hash", Version: 1, State: table.Active, Billing: table.OnDemandBilling, Key: keyOf("pk", "")}
}

func pairTable() *table.Table {
	all := table.Projection{Kind: table.All}
	return &table.Table{
		ID: 20, Name: "pair", Version: 1, State: table.Active, Billing: table.OnDemandBilling, Key: keyOf("pk", "sk"),
		Local: []table.Index{
			{ID: 1, Name: "lall", Key: keyOf("pk", "ls"), Projection: all},
			{ID: 2, Name: "lkeys", Key: keyOf("pk", "ls"), Projection: table.Projection{Kind: table.KeysOnly}},
		},
		Global: []table.Index{
			{ID: 21, Name: "gall", Key: keyOf("gh", "gr"), Projection: all, Status: table.IndexActive},
			{ID: 22, Name: "gsome", Key: keyOf("gh", ""), Status: table.IndexActive,
				Projection: table.Projection{Kind: table.Include, NonKey: []string{"data"}}},
			{ID: 23, Name: "gmany", Status: table.IndexActive, Projection: all, Key: table.Key{
				Hash:  []table.KeyAttribute{{Name: "h1", Type: attr.S}, {Name: "h2", Type: attr.N}},
				Range: []table.KeyAttribute{{Name: "r1", Type: attr.S}, {Name: "r2", Type: attr.N}, {Name: "r3", Type: attr.S}},
			}},
			{ID: 24, Name: "gnew", Key: keyOf("gh", ""), Projection: all, Status: table.IndexCreating},
		},
	}
}

// newTestOps are the operations over a naive router with these tests' tables, and tables that do not serve.
func newTestOps(t testing.TB) (*Ops, *naiveRouter) {
	t.Helper()
	creating := hashTable()
	creating.ID, creating.Name, creating.State = 30, "creating", table.Creating
	deleting := hashTable()
	deleting.ID, deleting.Name, deleting.State = 31, "deleting", table.Deleting
	tables := []*table.Table{hashTable(), pairTable(), creating, deleting}
	router := &naiveRouter{tables: tables, items: map[uint64]map[string]attr.Map{}}
	account := Account{Region: "us-east-1", Number: "000000000000"}
	return New(router, nil, &tableCatalog{tables: tables}, account), router
}

// decoded is an attribute map from its JSON.
func decoded(t testing.TB, json string) attr.Map {
	t.Helper()
	m, err := attr.DecodeMap(jx.DecodeStr(json), nil)
	if err != nil {
		t.Fatalf("decoding %s: %v", json, err)
	}
	return m
}

func ptr[T any](v T) *T { return &v }
