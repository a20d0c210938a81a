package machine

import (
	"fmt"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// benchItems is how many items the benchmarks have: a queue's worth, a page's worth.
const benchItems = 64

// benchPut is a put of an item of 1 KB in ten attributes.
func benchPut(i int, filler string) *command.Command {
	var more []attr.Entry
	for f := range 10 {
		more = append(more, attr.Entry{Name: fmt.Sprint("field", f), Value: attr.String(strings.Repeat(filler, 100))})
	}
	return putOf(fmt.Sprintf("user%08d", i), more...)
}

func benchPart(indexed bool) Part {
	p, t := holder()
	if !indexed {
		t.Local, t.Global = nil, nil
	}
	return p
}

// BenchmarkDecide is a pass over a queue of puts that replace items of 1 KB; one operation is one put.
func BenchmarkDecide(b *testing.B) {
	for _, kind := range []struct {
		name           string
		indexed, blind bool
	}{{name: "blind", blind: true}, {name: "seeing"}, {name: "indexed", indexed: true}} {
		b.Run(kind.name, func(b *testing.B) {
			p, stored := benchPart(kind.indexed), memory{}
			puts := make([]*command.Command, benchItems)
			for i := range puts {
				before := benchPut(i, "a")
				batch, _, err := Decide(p, 1000, stored, []*command.Command{before})
				if err != nil {
					b.Fatal(err)
				}
				stored.perform(&batch)
				p = batch.After
				puts[i] = benchPut(i, "b")
				puts[i].Blind = kind.blind
			}
			b.ReportAllocs()
			for n := 0; n < b.N; n += benchItems {
				if _, _, err := Decide(p, 1000, stored, puts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkScan walks a page of items of 1 KB; one operation is one item.
func BenchmarkScan(b *testing.B) {
	p, stored := benchPart(false), memory{}
	for i := range benchItems {
		batch, _, err := Decide(p, 1000, stored, []*command.Command{benchPut(i, "a")})
		if err != nil {
			b.Fatal(err)
		}
		stored.perform(&batch)
		p = batch.After
	}
	plan := &command.Plan{Table: 100}
	lower, upper, _ := Span(p.Descriptor, plan)
	b.ReportAllocs()
	for n := 0; n < b.N; n += benchItems {
		page, err := Scan(plan, stored.rows(lower, upper, false), false, nil)
		if err != nil || page.Examined != benchItems {
			b.Fatal(page.Examined, err)
		}
	}
}
