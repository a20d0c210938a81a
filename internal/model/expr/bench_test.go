package expr_test

import (
	"fmt"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// benchItem has twelve attributes and about a kilobyte.
func benchItem() attr.Map {
	entries := []attr.Entry{{Name: "pk", Value: attr.String("user#0001")}, {Name: "views_count", Value: attr.Int(41)}, {Name: "state", Value: attr.String("open")}}
	for i := range 9 {
		entries = append(entries, attr.Entry{Name: fmt.Sprintf("attribute_%d", i), Value: attr.String(strings.Repeat("x", 90))})
	}
	return attr.NewMap(entries)
}

var (
	benchNames  = map[string]string{"#s": "state"}
	benchValues = attr.NewMap([]attr.Entry{{Name: ":one", Value: attr.Int(1)}, {Name: ":open", Value: attr.String("open")}})
)

func BenchmarkParseCondition(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		n := expr.NewNames(benchNames, benchValues)
		if _, err := expr.ParseCondition(expr.ConditionExpression, "#s = :open AND views_count >= :one AND attribute_exists(pk)", n); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	c, err := expr.ParseCondition(expr.ConditionExpression, "#s = :open AND views_count >= :one AND attribute_exists(pk)", expr.NewNames(benchNames, benchValues))
	if err != nil {
		b.Fatal(err)
	}
	item := benchItem()
	b.ReportAllocs()
	for b.Loop() {
		if !c.Holds(item) {
			b.Fatal("does not hold")
		}
	}
}

func BenchmarkParseUpdate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := expr.ParseUpdate("ADD views_count :one", expr.NewNames(nil, benchValues)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, text := range []string{"ADD views_count :one", "SET views_count = views_count + :one, attribute_3 = :open"} {
		b.Run(strings.Fields(text)[0], func(b *testing.B) {
			u := parseUpdate(b, text, benchValues)
			item := benchItem()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.Apply(item, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProjection(b *testing.B) {
	p, err := expr.ParseProjection("pk, attribute_3, views_count", expr.NewNames(nil, nil))
	if err != nil {
		b.Fatal(err)
	}
	item := benchItem()
	b.ReportAllocs()
	for b.Loop() {
		p.Apply(item)
	}
}

func BenchmarkUnused(b *testing.B) {
	n := expr.NewNames(benchNames, benchValues)
	if _, err := expr.ParseCondition(expr.ConditionExpression, "#s = :open AND views_count >= :one", n); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := n.Unused(); err != nil {
			b.Fatal(err)
		}
	}
}
