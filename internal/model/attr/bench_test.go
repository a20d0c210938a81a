package attr_test

import (
	"testing"

	"github.com/go-faster/jx"

	"stator/internal/model/attr"
)

// cityJSON is an item of 1 KB and 12 attributes, of the kinds and in the disorder that clients send.
const cityJSON = `{"pk":{"S":"city#2950159"},"sk":{"S":"2026-11-22T10:00:00Z"},"name":{"S":"Berlin"},"country":{"S":"DE"},` +
	`"population":{"N":"3426354"},"latitude":{"N":"52.52437"},"longitude":{"N":"13.41053"},"capital":{"BOOL":true},` +
	`"names":{"SS":["Berlin","Berlino","Berlijn","Berlim"]},"area":{"M":{"km2":{"N":"891.7"},"source":{"S":"statistics office"}}},` +
	`"payload":{"S":"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. ` +
	`Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit ` +
	`in voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt ` +
	`mollit anim id est laborum. Curabitur pretium tincidunt lacus. Nulla gravida orci a odio. Nullam varius, turpis et commodo pharetra."},` +
	`"updated":{"N":"1795341600"}}`

func benchmarkMap(b *testing.B) attr.Map {
	b.Helper()
	m, err := attr.DecodeMap(jx.DecodeStr(cityJSON), nil)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func BenchmarkDecodeMap1KB(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(cityJSON)))
	input := []byte(cityJSON)
	var d jx.Decoder
	var dst []byte
	for b.Loop() {
		d.ResetBytes(input)
		var err error
		if dst, err = attr.DecodeMap(&d, dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON1KB(b *testing.B) {
	b.ReportAllocs()
	m := benchmarkMap(b)
	var dst []byte
	for b.Loop() {
		dst = m.AppendJSON(dst[:0])
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkGet(b *testing.B) {
	b.ReportAllocs()
	m := benchmarkMap(b)
	for b.Loop() {
		if _, ok := m.Get("updated"); !ok {
			b.Fatal("attribute is missing")
		}
	}
}

func BenchmarkSize(b *testing.B) {
	b.ReportAllocs()
	m := benchmarkMap(b)
	for b.Loop() {
		if m.Size() == 0 {
			b.Fatal("no size")
		}
	}
}

func BenchmarkParseNumber(b *testing.B) {
	for _, text := range []string{"7", "1795341600", "-123456.789", "1.2345678901234567890123456789012345678E+125"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, fault := attr.ParseNumber(text); fault != "" {
					b.Fatal(fault)
				}
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	b.ReportAllocs()
	n, _ := attr.ParseNumber("12345")
	one, _ := attr.ParseNumber("1")
	for b.Loop() {
		if _, fault := n.Add(one); fault != "" {
			b.Fatal(fault)
		}
	}
}
