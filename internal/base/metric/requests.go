package metric

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Requests counts the requests of one server by operation. The operations are known from the start, so that a request
// finds its counters without a lock and without building a label.
type Requests struct {
	byName map[string]*Operation
}

// Operation holds the counters of one operation. The zero Operation is ready for use; all methods are safe for
// concurrent use.
type Operation struct {
	latency  Histogram
	bytesIn  atomic.Int64
	bytesOut atomic.Int64

	mu     sync.Mutex // guards errors
	errors map[string]int64
}

// NewRequests returns counters for the operations of the given names.
func NewRequests(names iter.Seq[string]) *Requests {
	r := &Requests{byName: map[string]*Operation{}}
	for name := range names {
		r.byName[name] = &Operation{}
	}
	return r
}

// Operation finds the counters of an operation; nil when the name was not given to NewRequests.
func (r *Requests) Operation(name string) *Operation { return r.byName[name] }

// All goes through the operations by name.
func (r *Requests) All() iter.Seq2[string, *Operation] {
	return func(yield func(string, *Operation) bool) {
		for _, name := range slices.Sorted(maps.Keys(r.byName)) {
			if !yield(name, r.byName[name]) {
				return
			}
		}
	}
}

// Done counts one request: the bytes of its body and of its answer, and how long it took.
func (o *Operation) Done(in, out int, took time.Duration) {
	o.latency.Observe(took)
	o.bytesIn.Add(int64(in))
	o.bytesOut.Add(int64(out))
}

// Failed counts one request's error by its type. The types are those of the API, so there is a bound to their number.
func (o *Operation) Failed(errorType string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.errors == nil {
		o.errors = map[string]int64{}
	}
	o.errors[errorType]++
}

// Latency is what was observed so far.
func (o *Operation) Latency() Snapshot { return o.latency.Snapshot() }

// Bytes is the sum of the bodies received and sent, in bytes.
func (o *Operation) Bytes() (in, out int64) { return o.bytesIn.Load(), o.bytesOut.Load() }

// Errors is the number of errors by type.
func (o *Operation) Errors() map[string]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.errors)
}
