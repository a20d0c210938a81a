package machine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// holder is a partition of a table with one index of each kind.
func holder() (Part, *table.Table) {
	pk := table.KeyAttribute{Name: "pk", Type: attr.S}
	t := &table.Table{
		ID: 100, Version: 1, State: table.Active, Key: table.Key{Hash: []table.KeyAttribute{pk}},
		Local: []table.Index{{ID: 1, Name: "local", Projection: table.Projection{Kind: table.KeysOnly},
			Key: table.Key{Hash: []table.KeyAttribute{pk}, Range: []table.KeyAttribute{{Name: "l", Type: attr.S}}}}},
		Global: []table.Index{{ID: 200, Name: "global", Status: table.IndexActive, Projection: table.Projection{Kind: table.All},
			Key: table.Key{Hash: []table.KeyAttribute{{Name: "g", Type: attr.S}}}}},
	}
	p := Born(10, 100, command.Bounds{})
	p.Table = t
	return p, t
}

func suffixOf(pk string) []byte { return keys.Suffix([]attr.Value{attr.String(pk)}, nil) }

func putOf(pk string, more ...attr.Entry) *command.Command {
	item := attr.NewMap(append(more, attr.Entry{Name: "pk", Value: attr.String(pk)}))
	return &command.Command{Action: command.Put, Table: 100, TableVersion: 1, Key: suffixOf(pk), Item: item}
}

func updateOf(t *testing.T, pk, text string, value attr.Value) *command.Command {
	t.Helper()
	update, err := expr.ParseUpdate(text, expr.NewNames(nil, attr.NewMap([]attr.Entry{{Name: ":v", Value: value}})))
	if err != nil {
		t.Fatal(err)
	}
	c := putOf(pk)
	c.Action, c.Update = command.Update, update
	return c
}

func decideOne(t *testing.T, p Part, view View, c *command.Command) (Batch, command.Result) {
	t.Helper()
	b, answers, err := Decide(p, 1000, view, []*command.Command{c})
	if err != nil || answers[0].Err != nil {
		t.Fatal(err, answers)
	}
	return b, answers[0].Result
}

// Writes are slowed once the readers of the change log are too far behind, and conditions are still answered.
func TestThrottledByLag(t *testing.T) {
	p, _ := holder()
	p.Applied.UnfedBytes = UnfedBytesMax
	if _, r := decideOne(t, p, memory{}, putOf("a")); r.Refusal != command.Accepted {
		t.Errorf("at the bound: refusal %d", r.Refusal)
	}
	p.Applied.UnfedBytes++
	b, r := decideOne(t, p, memory{}, putOf("a"))
	if r.Refusal != command.Throttled || !b.Empty() {
		t.Errorf("past the bound: refusal %d, batch %+v", r.Refusal, b)
	}
}

// A collection at its bound can shrink, but not grow.
func TestCollectionTooLarge(t *testing.T) {
	p, _ := holder()
	stored := memory{}
	b, _ := decideOne(t, p, stored, putOf("a", attr.Entry{Name: "x", Value: attr.String("12345")}))
	stored.perform(&b)
	collection := keys.Size(100, suffixOf("a"))
	stored[string(collection)] = binary.AppendUvarint(nil, CollectionBytesMax)
	for _, c := range []struct {
		x    string
		want command.Refusal
	}{{"123456", command.CollectionTooLarge}, {"1234", command.Accepted}} {
		b, r := decideOne(t, b.After, stored, putOf("a", attr.Entry{Name: "x", Value: attr.String(c.x)}))
		if r.Refusal != c.want {
			t.Errorf("x=%s: refusal %d, want %d", c.x, r.Refusal, c.want)
		}
		if r.Refusal != command.Accepted && (!b.Empty() || b.After.Applied.VersionMax != p.Applied.VersionMax+command.VersionAt(1000)) {
			t.Errorf("a refusal left a trace: %+v", b)
		}
	}
}

// What only an update can make wrong is refused with DynamoDB's words: size, depth, index keys.
func TestUpdateLimits(t *testing.T) {
	p, _ := holder()
	deep := attr.Int(1)
	for range DepthMax {
		deep = attr.NewList([]attr.Value{deep})
	}
	for _, c := range []struct {
		name, text string
		value      attr.Value
		want       string
	}{
		{"fits", "SET x = :v", attr.String(strings.Repeat("x", table.ItemBytesMax-100)), ""},
		{"too large", "SET x = :v", attr.String(strings.Repeat("x", table.ItemBytesMax)), table.UpdateTooLarge},
		{"too deep", "SET x.y = :v", deep, nestedTooDeep},
		{"wrong type of a global key", "SET g = :v", attr.Int(1), "The update expression attempted to update the secondary index key to unsupported type"},
		{"empty local key", "SET l = :v", attr.String(""), "update expression attempted to update a secondary index key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored := memory{}
			b, _ := decideOne(t, p, stored, putOf("a", attr.Entry{Name: "x", Value: attr.EmptyMap.Value()}))
			stored.perform(&b)
			made, r := decideOne(t, b.After, stored, updateOf(t, "a", c.text, c.value))
			if refused := r.Refusal == command.Invalid; refused != (c.want != "") || !strings.Contains(r.Text, c.want) || refused != made.Empty() {
				t.Errorf("refusal %d %q, want %q", r.Refusal, r.Text, c.want)
			}
		})
	}
}

// An item that is older than its indexes may hold what they refuse. It can be updated in other ways, also to mend one of
// them, but not to hold more of it.
func TestUpdateOfAnItemOlderThanItsIndexes(t *testing.T) {
	p, description := holder()
	stored := memory{}
	description.Local, description.Global = nil, nil
	b, _ := decideOne(t, p, stored, putOf("a", attr.Entry{Name: "g", Value: attr.Int(1)}, attr.Entry{Name: "l", Value: attr.Int(1)}))
	stored.perform(&b)
	_, b.After.Table = holder()
	for _, c := range []struct {
		text  string
		value attr.Value
		want  command.Refusal
	}{
		{"SET x = :v", attr.Int(1), command.Accepted},
		{"SET g = :v", attr.String("right"), command.Accepted},
		{"SET l = :v", attr.String("right"), command.Accepted},
		{"SET g = :v", attr.Int(2), command.Invalid},
		{"SET l = :v", attr.Int(2), command.Invalid},
	} {
		if _, r := decideOne(t, b.After, stored, updateOf(t, "a", c.text, c.value)); r.Refusal != c.want {
			t.Errorf("%s %s: refusal %d %q, want %d", c.text, c.value.Text(), r.Refusal, r.Text, c.want)
		}
	}
}

// A fault of the view is nobody's answer: nothing was decided.
func TestFaultOfTheView(t *testing.T) {
	p, _ := holder()
	stored := memory{}
	b, _ := decideOne(t, p, stored, putOf("b"))
	stored.perform(&b)
	for name, key := range map[string][]byte{"item": keys.Data(100, suffixOf("a")), "size": keys.Size(100, suffixOf("a"))} {
		_, answers, err := Decide(b.After, 1000, failing{stored, key}, []*command.Command{putOf("b"), putOf("a")})
		if !errors.Is(err, errFault) || answers != nil {
			t.Errorf("%s: answers %v, error %v", name, answers, err)
		}
	}
	for name, damage := range map[string]string{"item": string(keys.Data(100, suffixOf("b"))), "size": string(keys.Size(100, suffixOf("b")))} {
		damaged := memory{}
		for k, v := range stored {
			damaged[k] = v
		}
		damaged[damage] = []byte{0xff}
		if _, _, err := Decide(b.After, 1000, damaged, []*command.Command{putOf("b", attr.Entry{Name: "n", Value: attr.Int(1)})}); err == nil {
			t.Errorf("a damaged %s was decided over", name)
		}
	}
	if _, _, err := Decide(p, 1000, stored, []*command.Command{{Action: command.Split}}); err == nil {
		t.Error("a split was decided in a queue")
	}
}

// A decision leaves the state it was made from alone: the maps of a state are shared.
func TestDecideLeavesTheStateAlone(t *testing.T) {
	p, _ := holder()
	p.Cursors = map[string]uint64{"index": 0}
	p.Applied.Stats.Local = map[uint32]command.Tally{1: {Items: 5}}
	p.Applied.Sequence = 3
	_, _, err := Decide(p, 1000, memory{}, []*command.Command{
		putOf("a", attr.Entry{Name: "l", Value: attr.String("x")}),
		{Action: command.Consume, Consumer: "index", Sequence: 2},
		{Action: command.Progress, Index: 200, Generation: 1, Backfill: command.Backfill{Done: true}},
		{Action: command.Correct, Generation: 1, Correction: command.Stats{Local: map[uint32]command.Tally{1: {Items: 1}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Cursors["index"] != 0 || p.Applied.Stats.Local[1].Items != 5 || len(p.Backfills) != 0 {
		t.Errorf("the state was changed: %+v", p)
	}
}

// What does not replace an item looks at it, whatever its sender says.
func TestOnlyReplacementsAreBlind(t *testing.T) {
	p, plain := holder()
	plain.Local, plain.Global = nil, nil
	for action, needs := range map[command.Action]bool{command.Put: false, command.Delete: false, command.Update: true, command.Check: true, command.Expire: true} {
		if got := p.NeedsBefore(&command.Command{Action: action, Blind: true}); got != needs {
			t.Errorf("action %d needs what was before: %t", action, got)
		}
	}
}

// A command that sees nothing of what it replaces decides as one that does: the same writes, the same statistics.
func TestBlindDecidesAlike(t *testing.T) {
	p, plain := holder()
	plain.Local, plain.Global = nil, nil
	stored := memory{}
	b, _ := decideOne(t, p, stored, putOf("there", attr.Entry{Name: "x", Value: attr.String("12345")}))
	stored.perform(&b)
	p = b.After
	for _, c := range []*command.Command{
		putOf("there", attr.Entry{Name: "x", Value: attr.String("other")}), putOf("absent"),
		{Action: command.Delete, Table: 100, TableVersion: 1, Key: suffixOf("there")},
		{Action: command.Delete, Table: 100, TableVersion: 1, Key: suffixOf("absent")},
	} {
		seeing, result := decideOne(t, p, stored, c)
		c.Blind = true
		if p.NeedsBefore(c) {
			t.Fatal("the command is not blind")
		}
		blind, unseen := decideOne(t, p, stored, c)
		if !reflect.DeepEqual(blind, seeing) || !bytes.Equal(result.After, unseen.After) || unseen.Before != nil {
			t.Errorf("action %d of %x: blind %+v, %+v, seeing %+v, %+v", c.Action, c.Key, blind, unseen, seeing, result)
		}
	}
}
