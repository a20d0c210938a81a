package engine

// ExcisesMax is how many excises a snapshot may outlive.
const ExcisesMax = excisesMax

// MemtablesWaiting is how many memtables are counted full and not written out.
func MemtablesWaiting(e *Engine) int64 {
	e.events.flushMu.Lock()
	defer e.events.flushMu.Unlock()
	return e.events.waiting
}
