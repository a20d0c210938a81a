package rebalance_test

import (
	"reflect"
	"testing"

	"stator/internal/jobs/rebalance"
	"stator/internal/partition/command"
)

// ledBy is what a node says that leads so many partitions.
func ledBy(partitions int) rebalance.Report {
	r := rebalance.Report{Node: 3, Release: "stator 1.2", Reads: 2, DiskBytes: 1 << 40, FreeBytes: 1 << 39, UsedBytes: 1 << 38,
		Heat: []rebalance.Heat{{Partition: 101, Heat: 0.5}}, Damaged: []rebalance.Damaged{{Partition: 102, Replica: 3, ForMillis: 1000}}}
	for i := range partitions {
		id := uint64(100 + 7*i)
		r.Leads = append(r.Leads, rebalance.Led{
			Partition: id, Epoch: 6 + id%30, Generation: 3 + id%40, Items: int64(id) * 1000, Bytes: int64(id) << 20, ReadBytes: int64(i % 3), Changing: i%100 == 1,
			Members: []rebalance.Member{
				{Member: command.Member{Replica: 1, Node: 3}, Current: true}, {Member: command.Member{Replica: 2, Node: 1}},
				{Member: command.Member{Replica: 4, Node: 200, Learner: true}, Current: true},
			},
		})
	}
	return r
}

func TestReportBytes(t *testing.T) {
	for _, want := range []rebalance.Report{{}, ledBy(0), ledBy(3)} {
		b, err := rebalance.AppendReport(nil, &want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rebalance.ParseReport(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
		for cut := range b {
			if _, err := rebalance.ParseReport(b[:cut]); err == nil {
				t.Fatalf("%d of %d bytes were taken for all", cut, len(b))
			}
		}
	}
}

// A report tells of the hottest replicas, and of none that serve next to nothing.
func TestHottest(t *testing.T) {
	var all []rebalance.Heat
	for id := range uint64(1000) {
		all = append(all, rebalance.Heat{Partition: id, Heat: float64(id%500) / 1000})
	}
	got := rebalance.Hottest(all)
	if len(got) != 256 || got[0] != (rebalance.Heat{Partition: 499, Heat: 0.499}) || got[255].Heat != 0.372 {
		t.Errorf("%d, from %v to %v", len(got), got[0], got[len(got)-1])
	}
	if got := rebalance.Hottest([]rebalance.Heat{{Partition: 7, Heat: 0.001}}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func FuzzParseReport(f *testing.F) {
	for _, partitions := range []int{0, 2} {
		r := ledBy(partitions)
		b, err := rebalance.AppendReport(nil, &r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := rebalance.ParseReport(b)
		if err != nil {
			return
		}
		again, err := rebalance.AppendReport(nil, &parsed)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rebalance.ParseReport(again); err != nil || !reflect.DeepEqual(got, parsed) {
			t.Errorf("%+v came back as %+v, %v", parsed, got, err)
		}
	})
}

// What a node with 10,000 leaderships says every two seconds.
func BenchmarkReportBytes(b *testing.B) {
	r := ledBy(10_000)
	var size int
	for b.Loop() {
		sent, err := rebalance.AppendReport(nil, &r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := rebalance.ParseReport(sent); err != nil {
			b.Fatal(err)
		}
		size = len(sent)
	}
	b.ReportMetric(float64(size), "bytes")
}
