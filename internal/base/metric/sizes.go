package metric

import "sync/atomic"

// SizeBuckets is how many buckets Sizes has: the first holds what has 1 KB at most, each further one twice as much, the last one the rest.
const SizeBuckets = 10

const sizeShift = 10

// Sizes counts items by their size. The zero value has seen none.
type Sizes [SizeBuckets]Sized

// Sized is the items of a bucket, with all their bytes.
type Sized struct{ Items, Bytes atomic.Int64 }

// Observe counts items that have so many bytes together, each of them as large as their mean.
func (s *Sizes) Observe(items, bytes int64) {
	if items == 0 {
		return
	}
	bucket := &s[doubling(max(0, (bytes-1)/items), sizeShift, SizeBuckets-1)]
	bucket.Items.Add(items)
	bucket.Bytes.Add(bytes)
}
