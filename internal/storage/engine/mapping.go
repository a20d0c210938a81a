package engine

import "runtime"

// mapping is memory outside of the collected heap. One that nobody holds any more, as a broken store's, is released by the
// collector.
type mapping struct {
	bytes   []byte
	cleanup runtime.Cleanup
}

// newMapping returns so much memory, or nil if the system gives none.
func newMapping(size int) *mapping {
	b := mapBytes(size)
	if b == nil {
		return nil
	}
	m := &mapping{bytes: b}
	m.cleanup = runtime.AddCleanup(m, unmapBytes, b)
	return m
}

func (m *mapping) release() {
	m.cleanup.Stop()
	unmapBytes(m.bytes)
}
