package timeline

import "time"

// StartMillis is the time of day when a world begins.
const StartMillis = 1_800_000_000_000

// Clock is a node's clocks: one runs evenly, a little too fast or too slow; the time of day jumps besides.
type Clock struct {
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

// NewClock draws a clock.
func NewClock(t *Timeline) Clock {
	return Clock{
		rate: t.Random.Int64N(2*rateMillionthsMax+1) - rateMillionthsMax, since: t.Between(0, time.Hour), skew: t.Between(-skewMax, skewMax),
	}
}

// Even is the clock that never jumps.
func (c *Clock) Even(now time.Duration) time.Duration {
	return c.since + now + time.Duration(int64(now)/1_000_000*c.rate)
}

// Millis is the time of day.
func (c *Clock) Millis(now time.Duration) int64 {
	return StartMillis + (c.Even(now) - c.since + c.skew).Milliseconds()
}

// Stretched is how long the world waits for what a node's clock measures.
func (c *Clock) Stretched(d time.Duration) time.Duration {
	return d - time.Duration(int64(d)/1_000_000*c.rate)
}

// Jump sets the time of day to another one.
func (c *Clock) Jump(t *Timeline) time.Duration {
	c.skew = t.Between(-jumpMax, jumpMax)
	return c.skew
}
