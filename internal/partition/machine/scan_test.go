package machine

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// scan walks what the arguments say of the rows the partition has.
func (s *script) scan(out *strings.Builder, d *datadriven.TestData) {
	p := command.Plan{Table: 100, Reverse: d.HasArg("reverse"), Raw: d.HasArg("raw"), Fetch: d.HasArg("fetch"), Discard: d.HasArg("count")}
	for name, into := range map[string]any{"limit": &p.Limit, "bytes": &p.Bytes, "index": &p.Index} {
		if d.HasArg(name) {
			d.ScanArgs(s.t, name, into)
		}
	}
	if d.HasArg("pk") {
		var pk string
		d.ScanArgs(s.t, "pk", &pk)
		p.Lower = keys.Suffix([]attr.Value{attr.String(pk)}, nil)
		if p.Index != 0 {
			p.Lower = binary.BigEndian.AppendUint32(p.Lower, p.Index)
		}
		p.Upper = keys.SuccessorPrefix(p.Lower)
	}
	if d.Input != "" {
		filter, err := expr.ParseCondition(expr.FilterExpression, d.Input, expr.NewNames(nil, s.values))
		s.must(err)
		p.Filter = filter
	}
	lower, upper, clipped := Span(s.part.Descriptor, &p)
	walk := func() (command.Page, error) {
		return Scan(&p, s.store.rows(lower, upper, p.Reverse), clipped, func(entry attr.Map) (attr.Map, error) {
			value, _, err := s.store.Get(keys.Data(100, s.key(entry)))
			s.must(err)
			item, err := record.ParseItem(value)
			return item.Attributes, err
		})
	}
	page, err := walk()
	if err != nil {
		fmt.Fprintf(out, "fault: %v\n", err)
		return
	}
	s.showPage(out, &page, clipped)
	p.Lend = true
	lent, err := walk()
	s.must(err)
	s.sameLent(&page, &lent)
}

// sameLent holds that a page lies in an arena and is the same otherwise.
func (s *script) sameLent(page, lent *command.Page) {
	s.t.Helper()
	if (lent.Arena != nil) != (len(lent.Items) > 0) {
		s.t.Errorf("a page of %d items, whether it lies in an arena: %t", len(lent.Items), lent.Arena != nil)
	}
	arena := lent.Arena
	lent.Arena = nil
	if !reflect.DeepEqual(page, lent) {
		s.t.Errorf("a lent page is %+v, otherwise it is %+v", lent, page)
	}
	arena.Release()
}

func (s *script) showPage(out *strings.Builder, page *command.Page, clipped bool) {
	for _, item := range page.Items {
		fmt.Fprintf(out, "%s\n", text(item))
	}
	for _, e := range page.Entries {
		fmt.Fprintf(out, "%s at %s: %s\n", components(e.Key[keys.TokenBytes:]), version(e.Version), text(e.Item))
	}
	reason := map[command.Reason]string{command.Done: "done", command.Limit: "limit", command.Budget: "budget"}[page.Reason]
	if clipped {
		reason += ", clipped"
	}
	fmt.Fprintf(out, "%s: examined %d matched %d bytes %d", reason, page.Examined, page.Matched, page.Bytes)
	if page.FetchUnits > 0 {
		fmt.Fprintf(out, " fetched %d", page.FetchUnits)
	}
	if page.LastItem != nil {
		fmt.Fprintf(out, " last %s", text(page.LastItem))
	}
	out.WriteString("\n")
}

// mapRows walks a map's rows in order.
type mapRows struct {
	store memory
	keys  []string
	at    int
}

func (m memory) rows(lower, upper []byte, reverse bool) Rows {
	r := &mapRows{store: m, at: -1}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key >= string(lower) && key < string(upper) {
			r.keys = append(r.keys, key)
		}
	}
	if reverse {
		slices.Reverse(r.keys)
	}
	return r
}

func (r *mapRows) Next() bool             { r.at++; return r.at < len(r.keys) }
func (r *mapRows) Key() []byte            { return []byte(r.keys[r.at]) }
func (r *mapRows) Value() ([]byte, error) { return r.store[r.keys[r.at]], nil }
func (r *mapRows) Err() error             { return nil }
