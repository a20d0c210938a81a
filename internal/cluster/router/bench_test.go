package router_test

import (
	"context"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/router"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// What the way to a partition costs where the map has 100,000 of them: the request ends there, since no copy is here.
func BenchmarkLookup(b *testing.B) {
	partitions := catalog.EvenPartitions(100_000, 1000)
	of := benchMap(partitions)
	r := router.New(router.Options{Map: of, Host: nobody{}})
	keys := make([][]byte, 1024)
	for i := range keys {
		keys[i] = key(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if p, err := r.Locate(7, keys[i%len(keys)]); err != nil || p.ID == 0 {
			b.Fatal(err)
		}
	}
}

type benchMap []catalog.Partition

func (m benchMap) Partitions(uint64) []catalog.Partition         { return m }
func (m benchMap) Sequence() uint64                              { return 0 }
func (benchMap) Splitting(context.Context, uint64) (bool, error) { return false, nil }

type nobody struct{}

func (nobody) Replica(uint64) (*replica.Replica, bool) { return nil, false }

// What a read costs on a node that is alone, the engine's part included.
func BenchmarkRead(b *testing.B) {
	r := newRig(b, 16, 0)
	r.node.Write(r.put("a", 1))
	g := r.get("a", 1)
	for _, strong := range []bool{false, true} {
		g.Strong = strong
		b.Run(map[bool]string{false: "eventual", true: "strong"}[strong], func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := r.router.Read(b.Context(), g); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a write costs on a node that is alone, the machine's and the engine's parts included.
func BenchmarkWrite(b *testing.B) {
	r := newRig(b, 16, 0)
	c := r.put("a", 1)
	c.Blind = true
	b.ReportAllocs()
	for range b.N {
		if result, err := r.router.Write(b.Context(), c); err != nil || result.Refusal != command.Accepted {
			b.Fatal(err)
		}
	}
}
