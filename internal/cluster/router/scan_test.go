package router_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// fill puts items of many collections and returns their places in key order.
func (r *rig) fill(t *testing.T, collections, each int) []string {
	t.Helper()
	var places []string
	for c := range collections {
		for i := range each {
			put := r.put(fmt.Sprint("collection ", c), int64(i))
			put.Item = put.Item.With("even", attr.Bool(i%2 == 0))
			r.node.Write(put)
			places = append(places, string(put.Key))
		}
	}
	slices.Sort(places)
	return places
}

// place is where an item lies.
func place(item attr.Map) string {
	pk, _ := item.Get("pk")
	sk, _ := item.Get("sk")
	return string(keys.Suffix([]attr.Value{pk}, []attr.Value{sk}))
}

// all pages through a plan as a client does, from each page's last item, and returns the places it was shown.
func (r *rig) all(t *testing.T, plan command.Plan) (places []string, pages int) {
	t.Helper()
	for {
		page, err := r.router.Scan(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, item := range page.Items {
			places = append(places, place(item))
		}
		if page.Matched != len(page.Items) || plan.Filter == nil && page.Examined != page.Matched {
			t.Errorf("%d items, matched %d, examined %d", len(page.Items), page.Matched, page.Examined)
		}
		if plan.Limit > 0 && page.Examined > plan.Limit {
			t.Errorf("%d examined with limit %d", page.Examined, plan.Limit)
		}
		if n := len(page.Items); plan.Filter == nil && n > 0 && page.Bytes-int64(page.Items[n-1].Size()) >= plan.Bytes {
			t.Errorf("a page of %d bytes goes on beyond %d", page.Bytes, plan.Bytes)
		}
		switch page.Reason {
		case command.Done:
			return places, pages
		case command.Edge:
			t.Fatal("the page ends at the edge of a partition")
		}
		if last := place(page.LastItem); plan.Reverse {
			plan.Upper = []byte(last)
		} else {
			plan.Lower = []byte(last + "\x00")
		}
	}
}

func (r *rig) compare(t *testing.T, plan command.Plan, want []string) {
	t.Helper()
	want = slices.Clone(want)
	if plan.Reverse {
		slices.Reverse(want)
	}
	for _, limit := range []int{0, 1, 3, 7} {
		for _, bytes := range []int64{1, 100, 500, 1 << 20} {
			p := plan
			p.Limit, p.Bytes = limit, bytes
			got, pages := r.all(t, p)
			if !slices.Equal(got, want) {
				t.Fatalf("limit %d, %d bytes: %d items in %d pages, want %d", limit, bytes, len(got), pages, len(want))
			}
			if limit == 0 && bytes == 1<<20 && pages != 1 {
				t.Errorf("%d pages for what fits into one", pages)
			}
		}
	}
}

// A scan shows every item once and in order, whatever its limit, budget and direction, over partitions read one by one or
// side by side.
func TestScanOverPartitions(t *testing.T) {
	even, err := expr.ParseCondition(expr.FilterExpression, "even = :yes",
		expr.NewNames(nil, attr.NewMap([]attr.Entry{{Name: ":yes", Value: attr.Bool(true)}})))
	if err != nil {
		t.Fatal(err)
	}
	for _, fanOut := range []int{0, 2, 4} {
		t.Run(fmt.Sprint("fan out ", fanOut), func(t *testing.T) {
			r := newRig(t, 7, fanOut)
			places := r.fill(t, 12, 5)
			whole := command.Plan{Table: r.table.ID, TableVersion: r.table.Version}
			r.compare(t, whole, places)
			reverse := whole
			reverse.Reverse = true
			r.compare(t, reverse, places)
			part := whole
			part.Lower, part.Upper = []byte(places[7]), []byte(places[50])
			r.compare(t, part, places[7:50])
			part.Reverse = true
			r.compare(t, part, places[7:50])
			filtered := whole
			filtered.Filter = even
			r.compare(t, filtered, slices.DeleteFunc(slices.Clone(places), func(p string) bool { return !isEven(p) }))
		})
	}
}

// isEven tells by its place whether an item's sort key is even.
func isEven(place string) bool {
	_, sort := keys.SplitSuffix([]byte(place), 1)
	n, _, _ := attr.ReadKey(sort[1:])
	return strings.ContainsAny(string(n.Append(nil)), "024")
}

// A scan that begins with an old map misses nothing of a partition that was split meanwhile, at its beginning, in the
// middle of what is read side by side, or within a collection.
func TestScanWithAnOldMap(t *testing.T) {
	for _, fanOut := range []int{0, 4} {
		for _, reverse := range []bool{false, true} {
			t.Run(fmt.Sprintf("fan out %d reverse %t", fanOut, reverse), func(t *testing.T) {
				r := newRig(t, 3, fanOut)
				places := r.fill(t, 12, 5)
				old := slices.Clone(r.node.Catalog().Partitions(r.table.ID))
				for _, at := range []int{2, 20, 33, 58} {
					r.split(t, []byte(places[at]))
				}
				r.paused = func() { r.frozen = nil }
				for _, limit := range []int{0, 4} {
					for _, bytes := range []int64{100, 1 << 20} {
						r.frozen = map[uint64][]catalog.Partition{r.table.ID: old}
						plan := command.Plan{Table: r.table.ID, TableVersion: r.table.Version, Limit: limit, Bytes: bytes, Reverse: reverse}
						want := slices.Clone(places)
						if reverse {
							slices.Reverse(want)
						}
						if got, _ := r.all(t, plan); !slices.Equal(got, want) {
							t.Errorf("limit %d, %d bytes: %d items, want %d", limit, bytes, len(got), len(want))
						}
					}
				}
			})
		}
	}
}

// A range that is empty, or lies at the very bound of a partition, is no fault.
func TestScanOfNothing(t *testing.T) {
	r := newRig(t, 4, 0)
	places := r.fill(t, 4, 2)
	bound := r.node.Catalog().Partitions(r.table.ID)[2].Bounds.Lower
	for name, p := range map[string]command.Plan{
		"empty":            {Lower: []byte(places[3]), Upper: []byte(places[3])},
		"the wrong way":    {Lower: []byte(places[5]), Upper: []byte(places[2])},
		"at a bound":       {Lower: bound, Upper: append(slices.Clone(bound), 0)},
		"beyond the items": {Lower: []byte("\xff\xff\xff")},
	} {
		for _, reverse := range []bool{false, true} {
			p.Table, p.TableVersion, p.Reverse = r.table.ID, r.table.Version, reverse
			page, err := r.router.Scan(t.Context(), p)
			if err != nil || len(page.Items) != 0 || page.Reason != command.Done {
				t.Errorf("%s, reverse %t: %d items, reason %d, %v", name, reverse, len(page.Items), page.Reason, err)
			}
		}
	}
}
