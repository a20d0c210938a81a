package table

import (
	"reflect"
	"strings"
	"testing"

	"stator/internal/model/attr"
)

// The texts of every check stand in the scripts of package ops; here is what they cannot show.

func wish() Wish {
	hash := func(name string) Element { return Element{Name: name} }
	return Wish{
		Definitions: Definitions{{"pk", attr.S}, {"sk", attr.S}, {"g", attr.N}, {"h", attr.B}}, Billing: OnDemandBilling,
		Schema: []Element{hash("pk"), {"sk", true}},
		Local:  []IndexWish{{Name: "lsi", Schema: []Element{hash("pk"), {"g", true}}, Projection: Projection{Kind: All}}},
		Global: []IndexWish{{
			Name: "gsi", Schema: []Element{hash("g"), hash("h"), {"sk", true}, {"pk", true}}, Projection: Projection{Kind: KeysOnly},
			Warm: Warm{Read: 20_000},
		}},
	}
}

func TestWishBecomesTable(t *testing.T) {
	w := wish()
	got, text := w.Table()
	if text != "" {
		t.Fatal(text)
	}
	want := &Table{
		Key:         Key{Hash: []KeyAttribute{{"pk", attr.S}}, Range: []KeyAttribute{{"sk", attr.S}}},
		Definitions: w.Definitions, Billing: OnDemandBilling,
		Local: []Index{{
			ID: 1, Name: "lsi", Key: Key{Hash: []KeyAttribute{{"pk", attr.S}}, Range: []KeyAttribute{{"g", attr.N}}},
			Projection: Projection{Kind: All}, Status: IndexActive,
		}},
		Global: []Index{{
			Name: "gsi", Key: Key{Hash: []KeyAttribute{{"g", attr.N}, {"h", attr.B}}, Range: []KeyAttribute{{"sk", attr.S}, {"pk", attr.S}}},
			Projection: Projection{Kind: KeysOnly}, Status: IndexCreating, Warm: Warm{Read: 20_000, Write: WarmOnDemand.Write},
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", got.Encode(), want.Encode())
	}
}

// Of several faults the first in DynamoDB's order is told.
func TestWishOrder(t *testing.T) {
	w := wish()
	steps := []struct {
		damage func()
		told   string
	}{
		{func() { w.Definitions = append(w.Definitions, KeyAttribute{"unused", attr.S}) }, "Some AttributeDefinitions are not used"},
		{func() { w.Global[0].Projection.Kind = 0 }, "Unknown ProjectionType"},
		{func() { w.Global[0].Schema[3].Range = false }, "must precede RANGE"},
		{func() { w.Global[0].Schema[0].Name = "none" }, "Keys: [none, h, sk, pk], AttributeDefinitions: [pk, sk, g, h, unused]"},
		{func() { w.Global[0].Throughput = &Throughput{} }, "should not be specified for index: gsi"},
		{func() { w.Local[0].Schema[0].Name = "h" }, "same leading hash key"},
		{func() { w.Schema[0].Range = true }, "first KeySchemaElement"},
		{func() { w.Definitions = append(w.Definitions, w.Definitions[0]) }, "Attribute Name is duplicated"},
	}
	for _, step := range steps {
		step.damage()
		if _, text := w.Table(); !strings.Contains(text, step.told) {
			t.Errorf("got %q, want %q", text, step.told)
		}
	}
}

func TestGlobalIndexComesAndGoes(t *testing.T) {
	before := orders()
	stored := string(before.Encode())
	w := IndexWish{Name: "new", Schema: []Element{{"fresh", false}, {"h2", true}}, Projection: Projection{Kind: All}}
	with := before.WithGlobal(&w, Definitions{{"other", attr.S}, {"fresh", attr.B}, {"h2", attr.S}})
	if got := string(before.Encode()); got != stored {
		t.Errorf("the table before became %s", got)
	}
	ix, ok := with.GlobalIndex("new")
	want := Key{Hash: []KeyAttribute{{"fresh", attr.B}}, Range: []KeyAttribute{{"h2", attr.N}}}
	if !ok || !reflect.DeepEqual(ix.Key, want) || !ix.Added || ix.Status != IndexCreating || ix.ID != 0 {
		t.Errorf("the index is %+v", ix)
	}
	if n := len(with.Definitions); n != len(before.Definitions)+1 || with.Definitions[n-1] != (KeyAttribute{"fresh", attr.B}) {
		t.Errorf("the definitions are %v", with.Definitions)
	}
	if without := with.WithoutGlobal("new"); !reflect.DeepEqual(without, before) {
		t.Errorf("without it again: %s", without.Encode())
	}
	// h1 stays for a-all, h2 and r1 served c-global only, l and sk other keys as well.
	without := before.WithoutGlobal("c-global")
	if got := list(Definitions(without.Definitions).names()); got != "[pk, sk, l, h1]" {
		t.Errorf("left are %s", got)
	}
}

func TestStates(t *testing.T) {
	for state, serves := range map[State]bool{Creating: false, Active: true, Updating: true, Deleting: false} {
		if got := (&Table{State: state}).Serves(); got != serves {
			t.Errorf("%s serves: %v", state, got)
		}
	}
	if !orders().Settled() {
		t.Error("a table of active indexes is not settled")
	}
	for _, status := range []IndexStatus{IndexCreating, IndexUpdating, IndexDeleting} {
		busy := orders()
		busy.Global[1].Status = status
		if busy.Settled() {
			t.Errorf("a table is settled with an index %s", status)
		}
	}
}
