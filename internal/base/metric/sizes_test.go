package metric_test

import (
	"testing"

	"stator/internal/base/metric"
)

// A size is in the bucket that is named for the smallest power of two that it does not exceed.
func TestSizesCountIntoDoublingBuckets(t *testing.T) {
	var s metric.Sizes
	for _, bytes := range []int64{0, 1, 1024, 1025, 2048, 8192, 8193, 400 << 10, 1 << 30} {
		s.Observe(1, bytes)
	}
	s.Observe(3, 3*1025)
	s.Observe(0, 0)
	for i, want := range [metric.SizeBuckets]int64{0: 3, 1: 5, 3: 1, 4: 1, 9: 2} {
		if got := s[i].Items.Load(); got != want {
			t.Errorf("bucket %d has %d items, want %d", i, got, want)
		}
	}
	if got, want := s[1].Bytes.Load(), int64(1025+2048+3*1025); got != want {
		t.Errorf("bucket 1 has %d bytes, want %d", got, want)
	}
}
