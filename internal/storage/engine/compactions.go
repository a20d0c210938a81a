package engine

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// compactionLookEvery is how often a compaction that waits is looked at again.
	compactionLookEvery = 100 * time.Millisecond
	// compactionLooksMax is how often at most: a minute. What else would be compacted waits behind it.
	compactionLooksMax = 600
	// While nothing is read, sublevelsMost tables may overlap; then they are compacted until fewer than sublevelsEnough do.
	// To less would be to compact what has just come.
	sublevelsMost, sublevelsEnough = 12, 4
	// roomTimes what a compaction reads is left on the disk, or nothing waits that would free some.
	roomTimes = 2

	// Nanoseconds of CPU, measured with items of 1 KB: what each further table that overlaps costs a range and a get, and
	// what a byte costs that is compacted.
	rangeNanos, getNanos = 25_000, 600
	compactionNanos      = 1.5

	// priorityOfScores is Pebble's priority of a compaction that the shape of the levels asks for; one that a caller waits for
	// has less.
	priorityOfScores = 80
)

// compactions grants Pebble's compactions: so many at once as it allows, and one that only makes reads cheaper when they have
// paid for it. Whoever rents skis until the rent comes to their price, and then buys them, never pays more than twice
// what he would have, had he known how often he skis: here the rent is what reads cost more for the tables of level 0 that
// overlap, and the price what compacting them costs. A store that is mostly written to compacts larger pieces so, of which
// more is overwritten already; one that is read is compacted soon.
type compactions struct {
	db    pebble.DBForCompaction
	shape func() levels // how the tables lie
	// gets counts those that came to Pebble, ranges those that were opened.
	gets, ranges atomic.Int64
	rent         rent

	running atomic.Int64
	// urgent counts those who wait for a compaction that they asked for.
	urgent           atomic.Int64
	wake             chan struct{} // of one: what may run is to be looked at
	open, stop, done chan struct{}
}

func newCompactions(shape func() levels) *compactions {
	return &compactions{
		shape: shape,
		wake:  make(chan struct{}, 1), open: make(chan struct{}), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// opened lets compactions begin: shape may be asked.
func (c *compactions) opened() { close(c.open) }

// Register implements pebble.CompactionScheduler.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) {
	c.db = db
	go c.run()
}

// Unregister implements pebble.CompactionScheduler.
func (c *compactions) Unregister() {
	close(c.stop)
	<-c.done
}

// TrySchedule implements pebble.CompactionScheduler: run will tell, as what is to be looked at cannot be under Pebble's lock.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.look()
	return false, nil
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler.
func (c *compactions) UpdateGetAllowedWithoutPermission() { c.look() }

// Started, MeasureCPU, CumulativeStats and Done implement pebble.CompactionGrantHandle.
func (c *compactions) Started()                                          {}
func (c *compactions) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (c *compactions) CumulativeStats(pebble.CompactionGrantHandleStats) {}
func (c *compactions) Done() {
	c.running.Add(-1)
	c.look()
}

func (c *compactions) look() {
	select {
	case c.wake <- struct{}{}:
	default: // it is about to
	}
}

// hurry has every compaction be granted until the caller has what it waits for.
func (c *compactions) hurry() (done func()) {
	c.urgent.Add(1)
	c.look()
	return func() { c.urgent.Add(-1) }
}

func (c *compactions) run() {
	defer close(c.done)
	select {
	case <-c.stop:
		return
	case <-c.open:
	}
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-c.wake:
		case <-again.C:
		}
		if c.grant() {
			again.Reset(compactionLookEvery)
		}
	}
}

// grant grants what may run now, and tells whether to look again.
func (c *compactions) grant() bool {
	for c.running.Load() < int64(c.db.GetAllowedWithoutPermission()) {
		waits, what := c.db.GetWaitingCompaction()
		if !waits {
			c.rent.end(c.gets.Load(), c.ranges.Load())
			return false
		}
		shaping := !what.Optional && what.Priority >= priorityOfScores
		if shaping && c.urgent.Load() == 0 && !c.rent.due(c.shape(), c.gets.Load(), c.ranges.Load()) {
			return true
		}
		c.running.Add(1)
		if !c.db.Schedule(c) {
			c.running.Add(-1)
			return false
		}
	}
	return true
}

// levels is how the tables of a store lie.
type levels struct {
	overlapping int64 // in level 0
	bytes       int64 // of level 0 and of the one that it is compacted into
	lower       bool  // another level comes first
	tight       bool  // the disk has little room besides
}

// levels looks at the store's tables.
func (e *Engine) levels() levels {
	m := e.db.Metrics()
	l := levels{overlapping: int64(m.Levels[0].Sublevels)}
	into := int64(0)
	for _, level := range m.Levels[1:] {
		if into == 0 {
			into = level.TablesSize
		}
		l.lower = l.lower || level.Score > m.Levels[0].Score
	}
	l.bytes = m.Levels[0].TablesSize + into
	free := e.space.FreeBytes()
	l.tight = e.space.Low() || 0 < free && free < roomTimes*l.bytes // 0 before it is known
	return l
}

// rent is what reads have paid for tables that overlap since these were compacted, in nanoseconds.
type rent struct {
	paid         float64
	gets, ranges int64 // how many there had been
	looks        int
	// until fewer tables than this overlap, they are compacted; 0 while they are not.
	until int64
}

// due tells whether to compact, where so many gets and ranges there have been.
func (r *rent) due(l levels, gets, ranges int64) bool {
	r.paid += float64(l.overlapping) * float64((gets-r.gets)*getNanos+(ranges-r.ranges)*rangeNanos)
	r.gets, r.ranges = gets, ranges
	r.looks++
	switch {
	case r.paid >= float64(l.bytes)*compactionNanos, r.looks >= compactionLooksMax, l.tight:
		r.until = 1
	case r.until == 0 && l.overlapping >= sublevelsMost:
		r.until = sublevelsEnough
	}
	if l.overlapping < r.until {
		r.end(gets, ranges)
	}
	return r.until > 0 || l.lower
}

// end begins anew.
func (r *rent) end(gets, ranges int64) { *r = rent{gets: gets, ranges: ranges} }
