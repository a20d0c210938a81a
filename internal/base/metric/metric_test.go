package metric_test

import (
	"slices"
	"testing"
	"time"

	"stator/internal/base/metric"
)

func TestHistogramCumulatesIntoDoublingBuckets(t *testing.T) {
	var h metric.Histogram
	for _, d := range []time.Duration{-time.Second, 0, 16 * time.Microsecond, 17 * time.Microsecond, time.Millisecond, time.Minute} {
		h.Observe(d)
	}
	s := h.Snapshot()
	if s.Count != 6 {
		t.Errorf("Count = %d, want 6", s.Count)
	}
	if want := time.Minute + time.Millisecond + 33*time.Microsecond; s.Sum != want {
		t.Errorf("Sum = %v, want %v", s.Sum, want)
	}
	for bound, want := range map[float64]uint64{16384e-9: 3, 32768e-9: 4, 1048576e-9: 5, 17.179869184: 5} {
		if got, ok := s.Buckets[bound]; !ok || got != want {
			t.Errorf("bucket %v holds %d (%v), want %d", bound, got, ok, want)
		}
	}
}

func TestRequestsCountByOperation(t *testing.T) {
	r := metric.NewRequests(slices.Values([]string{"PutItem", "GetItem"}))
	if r.Operation("Nonsense") != nil {
		t.Error("an unknown operation has counters")
	}
	get := r.Operation("GetItem")
	get.Done(10, 200, time.Millisecond)
	get.Done(5, 100, time.Millisecond)
	get.Failed("ValidationException")
	if in, out := get.Bytes(); in != 15 || out != 300 {
		t.Errorf("Bytes() = %d, %d", in, out)
	}
	if n := get.Errors()["ValidationException"]; n != 1 {
		t.Errorf("%d ValidationExceptions, want 1", n)
	}
	var names []string
	for name, o := range r.All() {
		names = append(names, name)
		if name == "PutItem" && o.Latency().Count != 0 {
			t.Error("PutItem counted GetItem's requests")
		}
	}
	if !slices.Equal(names, []string{"GetItem", "PutItem"}) {
		t.Errorf("All() goes through %v", names)
	}
}

func BenchmarkDone(b *testing.B) {
	o := &metric.Operation{}
	for b.Loop() {
		o.Done(100, 1000, 90*time.Microsecond)
	}
}
