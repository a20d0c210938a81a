package command_test

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/go-faster/jx"
	"pgregory.net/rapid"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/record"
)

// small is an item that shows its bytes, large one of twelve attributes and about a kilobyte.
var (
	small = attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("user#0001")}, {Name: "seen_by", Value: attr.Int(41)}})
	large = func() attr.Map {
		item := small
		for i := range 10 {
			item = item.With(fmt.Sprintf("attribute_%d", i), attr.String(strings.Repeat("x", 90)))
		}
		return item
	}()
)

func put(item attr.Map) *command.Command {
	return &command.Command{Action: command.Put, Table: 7, TableVersion: 3, Key: []byte("token-of-16-bytes\x01user#0001"), Item: item, Blind: true}
}

// filler says what stands in a field.
type filler interface {
	length(most int) int
	number() uint64
	among(n int) int
}

// whole has something stand in every field.
type whole struct{}

func (whole) length(int) int { return 2 }
func (whole) number() uint64 { return 300 }
func (whole) among(int) int  { return 1 }

// random has anything stand anywhere.
type random struct{ t *rapid.T }

func (r random) length(most int) int { return rapid.IntRange(0, most).Draw(r.t, "length") }
func (r random) number() uint64      { return rapid.Uint64().Draw(r.t, "number") }
func (r random) among(n int) int     { return rapid.IntRange(0, n-1).Draw(r.t, "choice") }

// fill fills what value points to.
func fill(value any, f filler) { fillValue(reflect.ValueOf(value).Elem(), f, false) }

func fillValue(v reflect.Value, f filler, within bool) {
	if samples, ok := sampled[v.Type()]; ok {
		v.Set(reflect.ValueOf(samples[f.among(len(samples))]))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.among(2) == 1)
	case reflect.String:
		v.SetString([]string{"", "text"}[f.among(2)])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.number()))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.number() >> (64 - v.Type().Bits()) & (1<<v.Type().Bits() - 1))
		if f == (whole{}) {
			v.SetUint(3)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillValue(v.Index(i), f, within)
		}
	case reflect.Slice:
		if n := f.length(3); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fillValue(v.Index(i), f, within || v.Type().Elem().Kind() != reflect.Uint8)
			}
		}
	case reflect.Map:
		if n := f.length(3); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fillValue(key, f, within)
				fillValue(value, f, within)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		// The actions of a transaction have none of their own.
		if v.Type() == reflect.TypeFor[*command.Transaction]() && within || f.among(3) == 0 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), f, within)
	case reflect.Struct:
		fillStruct(v, f, within)
	default:
		panic("a field of a kind that is not filled: " + v.Type().String())
	}
}

func fillStruct(v reflect.Value, f filler, within bool) {
	for i := range v.NumField() {
		// The results of actions have none of their own.
		if v.Type() == reflect.TypeFor[command.Result]() && within && v.Type().Field(i).Name == "Results" {
			continue
		}
		// Who lends is on this node.
		if v.Type().Field(i).Name == "Lend" {
			continue
		}
		fillValue(v.Field(i), f, within)
	}
	if c, ok := v.Addr().Interface().(*command.Transaction); ok {
		for i, action := range c.Actions {
			if action == nil {
				c.Actions[i] = put(small)
			}
		}
	}
}

// sampled are the types whose values are not made of their fields.
var sampled = map[reflect.Type][]any{
	reflect.TypeFor[attr.Map]():         {attr.Map(nil), small, large, attr.EmptyMap},
	reflect.TypeFor[*attr.Arena]():      {(*attr.Arena)(nil), (*attr.Arena)(nil)},
	reflect.TypeFor[*expr.Condition]():  conditions(),
	reflect.TypeFor[*expr.Update]():     updates(),
	reflect.TypeFor[*expr.Projection](): projections(),
	reflect.TypeFor[*table.Table]():     {(*table.Table)(nil), description()},
	reflect.TypeFor[record.Change](): {
		record.Change{Suffix: []byte("s"), After: small}, record.Change{Sequence: 2, Version: 1 << 60, Table: 7, Suffix: []byte("suffix"), Before: small, Kind: 1},
	},
}

var values = func() attr.Map {
	m, err := attr.DecodeMap(jx.DecodeStr(`{":s":{"S":"open"},":n":{"N":"1"},":l":{"L":[{"N":"1"}]},":ss":{"SS":["a","b"]},":t":{"S":"S"}}`), nil)
	if err != nil {
		panic(err)
	}
	return m
}()

var names = map[string]string{"#s": "state", "#dot": "a.b"}

func conditions() []any {
	all := []any{(*expr.Condition)(nil)}
	for _, text := range []string{
		"#s = :s AND seen_by >= :n AND attribute_exists(pk)", "attribute_not_exists(pk)", "NOT (a IN (:s, :n) OR size(l) BETWEEN :n AND b) AND begins_with(m.k, :s)",
		"contains(l[2].k, :s) OR attribute_type(a, :t) OR #dot <> :l",
	} {
		c, err := expr.ParseCondition(expr.ConditionExpression, text, expr.NewNames(names, values))
		if err != nil {
			panic(err)
		}
		all = append(all, c)
	}
	return all
}

func updates() []any {
	all := []any{(*expr.Update)(nil)}
	for _, text := range []string{
		"SET seen_by = seen_by + :n", "SET #s = if_not_exists(#s, :s), l = list_append(l, :l) REMOVE m.k ADD n :n, ss :ss DELETE d :ss", "REMOVE l[1], l[0]",
	} {
		u, err := expr.ParseUpdate(text, expr.NewNames(names, values))
		if err != nil {
			panic(err)
		}
		all = append(all, u)
	}
	legacy, err := expr.LegacyUpdates([]expr.LegacyUpdate{{Attribute: "a", Action: "DELETE"}, {Attribute: "b", Value: attr.Int(1)}})
	if err != nil {
		panic(err)
	}
	return append(all, legacy)
}

func projections() []any {
	all := []any{(*expr.Projection)(nil)}
	for _, text := range []string{"pk, seen_by", "a, m.k, l[2].k, #dot"} {
		p, err := expr.ParseProjection(text, expr.NewNames(names, values))
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return append(all, expr.Columns([]expr.Column{{Name: "x", Path: expr.Path{{Name: "m"}, {Name: "k"}}}}))
}

// description is a table as it is read from its stored form.
func description() *table.Table {
	t, err := table.Decode((&table.Table{
		ID: 7, Name: "things", Version: 3, State: table.Active, Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}},
	}).Encode())
	if err != nil {
		panic(err)
	}
	return t
}

// compiled takes the compiled expressions out of a value and gives their bytes: they are equal if those are.
func compiled(v reflect.Value) (all [][]byte) {
	switch v.Kind() {
	case reflect.Pointer:
		x, ok := v.Interface().(interface{ AppendBinary(dst []byte) []byte })
		switch {
		case v.IsNil():
		case ok && v.CanSet():
			all = append(all, x.AppendBinary(nil))
			v.SetZero()
		default:
			all = compiled(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, compiled(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, compiled(v.Field(i))...)
		}
	}
	return all
}
