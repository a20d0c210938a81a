package partiql

import (
	"fmt"
	"strings"
	"testing"

	"stator/internal/model/attr"
)

// What no grammar bounds is bounded here: nothing that fits a statement may exhaust the stack or the machine.
func TestBombs(t *testing.T) {
	repeat := func(head, middle, tail string, n int) string {
		return strings.Repeat(head, n) + middle + strings.Repeat(tail, n)
	}
	for name, where := range map[string]string{
		"parentheses": repeat("(", "a = 1", ")", 4000),
		"open":        repeat("(", "", "", 8000),
		"nots":        repeat("NOT ", "a = 1", "", 2000),
		"calls":       repeat("size(", "a", ")", 1000) + " = 1",
		"lists":       "a = " + repeat("[", "", "]", 4000),
		"tuples":      "a = " + repeat("{'a':", "1", "}", 1300),
		"signs":       "a = " + repeat("- ", "1", "", 4000),
		"paths":       repeat("a[", "1", "]", 2600) + " = 1",
		"branches":    "pk = 'x'" + strings.Repeat(" AND (sk='1' OR a=1)", 400),
		"in":          "a IN [1" + strings.Repeat(",1", 4000) + "]",
	} {
		s, err := Parse(`SELECT * FROM "T" WHERE ` + where)
		if err == nil {
			var b *Bound
			if b, err = s.Bind(nil); err == nil {
				_, err = b.Where.Branches("pk", "sk")
			}
		}
		if err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// Chains are no nesting: they may be as long as a statement.
func TestChains(t *testing.T) {
	for name, where := range map[string]string{
		"and":      "a = 1" + strings.Repeat(" AND a = 1", 800),
		"or":       "a = 1" + strings.Repeat(" OR a = 1", 800),
		"equals":   "a = 1" + strings.Repeat(" = true", 1100),
		"mixed":    "a = 1" + strings.Repeat(" AND a = 1 OR a = 1", 400),
		"path":     "a" + strings.Repeat(".b", 4000) + " = 1 OR a = 1",
		"the most": strings.Repeat("(", nestingMax-2) + "a = 1" + strings.Repeat(")", nestingMax-2),
	} {
		s, err := Parse(`SELECT * FROM "T" WHERE ` + where)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, err := s.Bind(nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		item := attr.NewMap([]attr.Entry{{Name: "a", Value: attr.Int(1)}})
		if !b.Where.Condition().Holds(item) {
			t.Errorf("%s does not hold", name)
		}
	}
	sum, err := Parse(`UPDATE "T" SET a = a` + strings.Repeat(" + 1", 2000) + ` WHERE pk = 1`)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sum.Bind(nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := b.Changes.Apply(attr.NewMap([]attr.Entry{{Name: "a", Value: attr.Int(1)}}), nil)
	if got := string(after.AppendJSON(nil)); err != nil || got != `{"a":{"N":"2001"}}` {
		t.Errorf("%s, %v", got, err)
	}
}

// The cache is bounded, and what is asked for stays in it.
func TestCache(t *testing.T) {
	var c statements
	kept := &Statement{text: "kept"}
	c.put("kept", kept)
	for i := range 10 * cacheEntriesMax {
		text := fmt.Sprint(i)
		c.put(text, &Statement{text: text})
		if c.get("kept") != kept {
			t.Fatalf("lost after %d others", i)
		}
	}
	if entries := len(c.young) + len(c.old); entries > cacheEntriesMax {
		t.Errorf("%d entries", entries)
	}
	if c.get("0") != nil {
		t.Error("what nobody asked for is still there")
	}
}

// A statement from the cache does not refer to the request that it came with.
func TestParseKeepsNoBuffer(t *testing.T) {
	buffer := []byte(`SELECT a FROM "Kept" WHERE pk = 'x'`)
	text := string(buffer)
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(string(buffer))
	if err != nil || again != s {
		t.Errorf("parsed anew: %v", err)
	}
}

func BenchmarkBind(b *testing.B) {
	text := `UPDATE "T" SET n = n + ?, s = ? WHERE pk = ? AND sk = ? AND n < 100`
	parameters := []attr.Value{attr.Int(1), attr.String("x"), attr.String("p"), attr.String("s")}
	for b.Loop() {
		s, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		bound, err := s.Bind(parameters)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bound.Where.Pin([]string{"pk", "sk"}).Condition("pk"); err != nil {
			b.Fatal(err)
		}
	}
}
