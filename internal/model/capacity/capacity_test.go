package capacity

import (
	"reflect"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/table"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		bytes                int64
		consistent, eventual float64
	}{{0, 1, 0.5}, {1, 1, 0.5}, {4096, 1, 0.5}, {4097, 2, 1}, {409_600, 100, 50}, {1 << 20, 256, 128}} {
		if got := Read(c.bytes, true); got != c.consistent {
			t.Errorf("%d bytes, consistent: %v", c.bytes, got)
		}
		if got := Read(c.bytes, false); got != c.eventual {
			t.Errorf("%d bytes, eventual: %v", c.bytes, got)
		}
	}
	for _, c := range []struct {
		before, after int
		units         float64
	}{{0, 0, 1}, {0, 1024, 1}, {0, 1025, 2}, {4096, 1, 4}, {1, 4096, 4}, {2048, 2048, 2}} {
		if got := Write(c.before, c.after); got != c.units {
			t.Errorf("%d to %d bytes: %v", c.before, c.after, got)
		}
	}
}

// shop has an index of each kind: lsi projects all, gsi the keys and x.
func shop() *table.Table {
	key := func(hash, rng string) table.Key {
		return table.Key{Hash: []table.KeyAttribute{{Name: hash, Type: attr.S}}, Range: []table.KeyAttribute{{Name: rng, Type: attr.S}}}
	}
	return &table.Table{
		Name: "shop", Key: key("pk", "sk"),
		Local: []table.Index{{Name: "lsi", Key: key("pk", "l"), Projection: table.Projection{Kind: table.All}, Status: table.IndexActive}},
		Global: []table.Index{{Name: "gsi", Key: key("g", "sk"), Status: table.IndexActive,
			Projection: table.Projection{Kind: table.Include, NonKey: []string{"x"}}}},
	}
}

// thing is an item with the attributes of a line such as "pk=a x=b"; a value *N is N bytes long.
func thing(line string) attr.Map {
	if line == "" {
		return nil
	}
	var entries []attr.Entry
	for _, field := range strings.Fields(line) {
		name, text, _ := strings.Cut(field, "=")
		switch text {
		case "*1024":
			text = strings.Repeat("a", 1024)
		case "*3072":
			text = strings.Repeat("b", 3072)
		}
		entries = append(entries, attr.Entry{Name: name, Value: attr.String(text)})
	}
	return attr.NewMap(entries)
}

func TestOfWrite(t *testing.T) {
	for _, c := range []struct {
		what, before, after string
		used                Usage
	}{
		{"an item in no index", "", "pk=a sk=b", Usage{Table: 1}},
		{"a deletion of nothing", "", "", Usage{Table: 1}},
		{"a new item in both", "", "pk=a sk=b l=c g=d", Usage{1, map[string]float64{"lsi": 1}, map[string]float64{"gsi": 1}}},
		{"a deletion from both", "pk=a sk=b l=c g=d", "", Usage{1, map[string]float64{"lsi": 1}, map[string]float64{"gsi": 1}}},
		{"an identical overwrite", "pk=a sk=b l=c g=d y=*3072", "pk=a sk=b l=c g=d y=*3072", Usage{Table: 4}},
		{"what gsi does not project", "pk=a sk=b l=c g=d y=1", "pk=a sk=b l=c g=d y=2", Usage{1, map[string]float64{"lsi": 1}, nil}},
		{"what gsi projects", "pk=a sk=b g=d x=1", "pk=a sk=b g=d x=2", Usage{1, nil, map[string]float64{"gsi": 1}}},
		{"the larger of both sizes", "pk=a sk=b g=d x=*3072", "pk=a sk=b g=d x=2", Usage{4, nil, map[string]float64{"gsi": 4}}},
		{"a key that moves costs both entries", "pk=a sk=b g=d x=*3072", "pk=a sk=b g=e x=*1024", Usage{4, nil, map[string]float64{"gsi": 4 + 2}}},
		{"an entry that goes", "pk=a sk=b g=d x=*1024", "pk=a sk=b x=*1024", Usage{2, nil, map[string]float64{"gsi": 2}}},
	} {
		if got := OfWrite(shop(), thing(c.before), thing(c.after)); !reflect.DeepEqual(got, c.used) {
			t.Errorf("%s: got %+v, want %+v", c.what, got, c.used)
		}
	}
	leaving := shop()
	leaving.Global[0].Status = table.IndexDeleting
	if got := OfWrite(leaving, nil, thing("pk=a sk=b g=d")); !reflect.DeepEqual(got, Usage{Table: 1}) {
		t.Errorf("an index on its way out costs %+v", got)
	}
}

func TestOfRead(t *testing.T) {
	r := Reading{Bytes: 5000, Fetched: 3}
	for index, want := range map[string]Usage{
		"":    {Table: 1},
		"lsi": {Table: 1.5, Local: map[string]float64{"lsi": 1}},
		"gsi": {Global: map[string]float64{"gsi": 1}},
	} {
		if got := OfRead(shop(), index, r); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", index, got, want)
		}
	}
	r.Consistent = true
	if got := OfRead(shop(), "lsi", r); got.Total() != 5 {
		t.Errorf("consistent: %+v", got)
	}
}

func TestPlusChangesNeither(t *testing.T) {
	a := Usage{Table: 1, Global: map[string]float64{"g": 1}}
	b := Usage{Table: 2, Global: map[string]float64{"g": 2, "h": 3}, Local: map[string]float64{"l": 4}}
	got := a.Plus(b)
	want := Usage{Table: 3, Global: map[string]float64{"g": 3, "h": 3}, Local: map[string]float64{"l": 4}}
	if !reflect.DeepEqual(got, want) || got.Total() != 13 {
		t.Errorf("got %+v, total %v", got, got.Total())
	}
	if a.Global["g"] != 1 || len(b.Global) != 2 {
		t.Errorf("the operands became %+v and %+v", a, b)
	}
	if empty := (Usage{}).Plus(Usage{}); empty.Local != nil || empty.Global != nil {
		t.Errorf("nothing plus nothing is %+v", empty)
	}
}

// semantics §18.2: the names of all sixteen reasons.
func TestReasons(t *testing.T) {
	names := map[string]bool{}
	for _, payer := range []Payer{{}, {Index: &table.Index{}}} {
		for kind := range Kinds {
			for limit := Unlimited + 1; limit < Limits; limit++ {
				names[payer.Reason(kind, limit)] = true
			}
		}
	}
	for _, of := range []string{"TableRead", "TableWrite", "IndexRead", "IndexWrite"} {
		for _, limit := range []string{"ProvisionedThroughput", "AccountLimit", "KeyRangeThroughput", "MaxOnDemandThroughput"} {
			if !names[of+limit+"Exceeded"] {
				t.Errorf("no reason is called %s%sExceeded: %v", of, limit, names)
			}
		}
	}
	if len(names) != 16 {
		t.Errorf("%d reasons", len(names))
	}
}
