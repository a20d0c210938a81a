package insight_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"stator/internal/cluster/insight"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

func watched(id uint64, of table.Insights) capacity.Payer {
	return capacity.Payer{Table: &table.Table{
		ID: id, Name: "shop", Insights: of,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "user", Type: attr.S}}, Range: []table.KeyAttribute{{Name: "at", Type: attr.N}}},
	}}
}

func item(user string, at int64) []byte {
	return keys.Suffix([]attr.Value{attr.String(user)}, []attr.Value{attr.Int(at)})
}

// Two nodes count what is asked for and throttled, by partition keys and by items. A write counts three times; a query is of no one item.
func TestContributors(t *testing.T) {
	now := time.Hour
	clock := func() time.Duration { return now }
	nodes := []*insight.Keys{insight.NewKeys(clock, nil), insight.NewKeys(clock, nil)}
	p := watched(100, table.Insights{On: true, RulesMillis: 5})
	for n, k := range nodes {
		for i := range 10 {
			k.Consumed(&capacity.Request{Payer: p, Kind: capacity.Reads, Units: 2, Key: item("ann", int64(i))})
			k.Consumed(&capacity.Request{Payer: p, Kind: capacity.Writes, Units: 1, Key: item("bob", int64(n))})
		}
		collection, _ := keys.SplitSuffix(item("bob", 1), 1)
		k.Consumed(&capacity.Request{Payer: p, Kind: capacity.Reads, Units: 0.5, Key: collection})
		k.Consumed(&capacity.Request{Payer: p, Kind: capacity.Reads, Units: -7, Key: item("ann", 1)}) // given back
		k.Consumed(&capacity.Request{Payer: p, Kind: capacity.Reads, Units: 7})                       // a walk
		k.Refused(&capacity.Request{Payer: p, Kind: capacity.Reads, Units: 9, Key: item("cid", 1)})
	}
	all := nodes[0].Of(100)
	all.Add(nodes[1].Of(100))
	told := insight.Tell(p.Table, "enforce", map[uint64]insight.Contributors{100: all}, nil)
	var got []string
	for _, rule := range told.Resources[0].Rules {
		for _, key := range rule.Keys[:min(3, len(rule.Keys))] {
			got = append(got, fmt.Sprintf("%s %s %.0f", rule.Rule, key.Key, key.PerSecond))
		}
	}
	const name = "DynamoDBContributorInsights-"
	want := []string{
		name + `PKC-shop-5 user = S:"bob" 61`, name + `PKC-shop-5 user = S:"ann" 40`,
		name + `SKC-shop-5 user = S:"bob", at = N:1 30`, name + `SKC-shop-5 user = S:"bob", at = N:0 30`, name + `SKC-shop-5 user = S:"ann", at = N:0 4`,
		name + `PKT-shop-5 user = S:"cid" 2`, name + `SKT-shop-5 user = S:"cid", at = N:1 2`,
	}
	slices.Sort(want[2:4])
	slices.Sort(got[2:4])
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// A minute later it is half, but for what else comes.
	now += time.Minute
	if first := nodes[0].Of(100)[table.AccessedPartitions][0]; !bytes.HasPrefix(item("bob", 1), first.Key) || first.PerSecond > 1 {
		t.Errorf("a minute later %q has %v a second", first.Key, first.PerSecond)
	}
}

// What nobody asked for is not counted, and what is counted is bounded.
func TestContributorsWanted(t *testing.T) {
	full := 0
	k := insight.NewKeys(func() time.Duration { return 0 }, func() { full++ })
	count := func(p capacity.Payer) (rules int) {
		k.Consumed(&capacity.Request{Payer: p, Units: 1, Key: item("ann", 1)})
		k.Refused(&capacity.Request{Payer: p, Units: 1, Key: item("ann", 1)})
		return len(k.Of(p.ID()))
	}
	if got := count(watched(1, table.Insights{})); got != 0 {
		t.Errorf("%d rules of a table without insights", got)
	}
	if got := count(watched(1, table.Insights{On: true, ThrottledOnly: true})); got != 2 {
		t.Errorf("%d rules of throttled keys, want 2", got)
	}
	told := 0
	for id := range uint64(100) {
		told += count(watched(id, table.Insights{On: true})) / 4
	}
	if told != 64 {
		t.Errorf("%d tables are counted, want 64", told)
	}
	if full != 1 || !k.HasRoom(7) || k.HasRoom(99) {
		t.Errorf("told %d times that there is no room, want once", full)
	}
	k.Keep(func(payer uint64) bool { return payer == 7 })
	if count(watched(99, table.Insights{On: true})) != 4 || len(k.Of(8)) != 0 || len(k.Of(7)) != 4 {
		t.Error("what is wanted no more keeps others out")
	}
}
