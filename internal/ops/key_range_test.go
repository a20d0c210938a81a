package ops

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// A key condition becomes exactly the places of the items that meet it, whatever the source and however many of its attributes it names.
func TestKeyRangeHoldsWhatTheConditionMeets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	described := pairTable()
	for _, name := range []string{"", "lall", "gall", "gsome", "gmany"} {
		var index *string
		if name != "" {
			index = &name
		}
		s, err := sourceOf(described, index)
		if err != nil {
			t.Fatal(err)
		}
		for range 400 {
			condition := randomCondition(random, s.key())
			match, err := s.matchKey(&condition, nil)
			if err != nil {
				t.Fatalf("%s %v: %v", name, condition, err)
			}
			within := s.keyRange(match)
			for range 20 {
				item := randomItem(random, described)
				place, ok := s.place(item)
				if !ok {
					t.Fatalf("%s: no place for %s", name, item.Value().Text())
				}
				if got, want := within.holds(place) && !within.empty(), meets(condition, item); got != want {
					t.Fatalf("%s: range of %v holds %s: %t, want %t", name, condition, item.Value().Text(), got, want)
				}
			}
		}
	}
}

// Few values, among them prefixes of each other and bytes that keys escape, so that conditions often just hold or just do not.
var keyStrings = []string{"a", "a\x00", "a\x00b", "ab", "b", "\xf4\x8f\xbf\xbf"}

func randomValue(random *rand.Rand, kind attr.Type) attr.Value {
	if kind == attr.N {
		return attr.Int(int64(random.IntN(5) - 2))
	}
	return attr.String(keyStrings[random.IntN(len(keyStrings))])
}

func randomItem(random *rand.Rand, described *table.Table) attr.Map {
	var entries []attr.Entry
	keys := []table.Key{described.Key}
	for _, ix := range slices.Concat(described.Local, described.Global) {
		keys = append(keys, ix.Key)
	}
	for _, key := range keys {
		for _, a := range key.Attributes() {
			if slices.ContainsFunc(entries, func(e attr.Entry) bool { return e.Name == a.Name }) {
				continue
			}
			entries = append(entries, attr.Entry{Name: a.Name, Value: randomValue(random, a.Type)})
		}
	}
	return attr.NewMap(entries)
}

func randomCondition(random *rand.Rand, key table.Key) expr.KeyCondition {
	var condition expr.KeyCondition
	for _, a := range key.Hash {
		condition.Parts = append(condition.Parts, expr.KeyPart{Name: a.Name, Op: expr.EQ, Values: []attr.Value{randomValue(random, a.Type)}})
	}
	for _, a := range key.Range[:random.IntN(len(key.Range)+1)] {
		op := expr.EQ + expr.KeyOp(random.IntN(int(expr.BeginsWith)))
		if op == expr.BeginsWith && a.Type == attr.N {
			op = expr.EQ
		}
		values := []attr.Value{randomValue(random, a.Type)}
		if op == expr.Between {
			values = append(values, randomValue(random, a.Type))
		}
		condition.Parts = append(condition.Parts, expr.KeyPart{Name: a.Name, Op: op, Values: values})
		if op != expr.EQ {
			break
		}
	}
	random.Shuffle(len(condition.Parts), func(i, j int) {
		condition.Parts[i], condition.Parts[j] = condition.Parts[j], condition.Parts[i]
	})
	return condition
}

// meets judges a condition by comparing values.
func meets(condition expr.KeyCondition, item attr.Map) bool {
	for _, part := range condition.Parts {
		v, _ := item.Get(part.Name)
		order := attr.Compare(v, part.Values[0])
		held := false
		switch part.Op {
		case expr.EQ:
			held = order == 0
		case expr.LT:
			held = order < 0
		case expr.LE:
			held = order <= 0
		case expr.GT:
			held = order > 0
		case expr.GE:
			held = order >= 0
		case expr.Between:
			held = order >= 0 && attr.Compare(v, part.Values[1]) <= 0
		case expr.BeginsWith:
			held = bytes.HasPrefix(v.Str(), part.Values[0].Str())
		}
		if !held {
			return false
		}
	}
	return true
}

// What is left after a start key is what lies behind it in the direction of the walk: a page and the next never share a place.
func TestRangeAfterStartKeyExcludesIt(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	described := pairTable()
	index := "gmany"
	s, err := sourceOf(described, &index)
	if err != nil {
		t.Fatal(err)
	}
	start, _ := s.place(randomItem(random, described))
	for range 200 {
		place, _ := s.place(randomItem(random, described))
		if got, want := (keyRange{}).after(start, false).holds(place), bytes.Compare(place, start) > 0; got != want {
			t.Fatalf("forward: holds %t, want %t", got, want)
		}
		if got, want := (keyRange{}).after(start, true).holds(place), bytes.Compare(place, start) < 0; got != want {
			t.Fatalf("backward: holds %t, want %t", got, want)
		}
	}
}

func TestSegmentsShareTheRing(t *testing.T) {
	for _, segments := range []int64{1, 2, 3, 7, 1000, 1_000_000} {
		t.Run(fmt.Sprint(segments), func(t *testing.T) {
			upper := []byte(nil)
			for segment := range segments {
				r := segmentRange(segment, segments)
				if !bytes.Equal(r.lower, upper) {
					t.Fatalf("segment %d begins at %x, the one before ends at %x", segment, r.lower, upper)
				}
				if r.empty() {
					t.Fatalf("segment %d is empty", segment)
				}
				upper = r.upper
			}
			if len(upper) != 0 {
				t.Fatalf("the last segment ends at %x", upper)
			}
		})
	}
}
