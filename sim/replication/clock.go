package replication

import "time"

// startMillis is the time of day when a run begins.
const startMillis = 1_800_000_000_000

// nodeClock is a node's clocks: one runs evenly, a little too fast or too slow; the time of day jumps besides.
type nodeClock struct {
	// rate is how many millionths faster than the world it runs.
	rate int64
	// since is what the even clock showed when the world began: it has nothing to do with other nodes'.
	since time.Duration
	skew  time.Duration
}

// Bounds of what clocks do: no quartz is off by a tenth of this, and leases must bear it.
const (
	rateMillionthsMax = 20_000
	skewMax           = 500 * time.Millisecond
	jumpMax           = 4 * time.Second
)

func newClock(w *world) nodeClock {
	return nodeClock{
		rate: w.random.Int64N(2*rateMillionthsMax+1) - rateMillionthsMax, since: w.between(0, time.Hour), skew: w.between(-skewMax, skewMax),
	}
}

// even is the clock that never jumps.
func (c *nodeClock) even(now time.Duration) time.Duration {
	return c.since + now + time.Duration(int64(now)/1_000_000*c.rate)
}

// millis is the time of day.
func (c *nodeClock) millis(now time.Duration) int64 {
	return startMillis + (c.even(now) - c.since + c.skew).Milliseconds()
}

// stretched is how long the world waits for what a node's clock measures.
func (c *nodeClock) stretched(d time.Duration) time.Duration {
	return d - time.Duration(int64(d)/1_000_000*c.rate)
}

// jump sets the time of day to another one.
func (c *nodeClock) jump(w *world) time.Duration {
	c.skew = w.between(-jumpMax, jumpMax)
	return c.skew
}
