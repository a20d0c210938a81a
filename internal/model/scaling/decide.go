package scaling

import (
	"fmt"
	"math"
	"slices"
	"time"

	"stator/internal/model/table"
)

// How a policy judges consumption, minute by minute, as DynamoDB's two alarms do: so many minutes in a row above the target scale out, so
// many well below it scale in. What lies between is let alone, or every ripple would cost one of the day's decreases.
const (
	minutesAbove = 2
	minutesBelow = 15
	belowPoints  = 20 // percentage points below the target
	belowMin     = 1  // percent: an idle table scales in whatever the target
)

// MinutesMax is how many minutes of consumption a decision looks at.
const MinutesMax = minutesBelow

// Facts are what a decision is made from.
type Facts struct {
	Now        time.Time
	Throughput table.Throughput // as provisioned, with the marks of its last changes
	Consumed   []float64        // units of the target's kind in each of the last whole minutes, the newest last; a policy without them waits
}

// Decision is what a target's units ought to be.
type Decision struct {
	From, Units int64
	Cause       string
	// Refused is why they cannot be so yet: the text against one decrease too many.
	Refused string
	// policy tells that the policy decided, not the bounds.
	policy bool
}

// Decide is what ought to become of a target's units. They stay as they are if it answers with them.
func (t *Target) Decide(f Facts) Decision {
	units := f.Throughput.Units(t.Write)
	d := Decision{From: units, Units: units}
	switch bounded := min(max(units, t.Min), t.Max); {
	case t.Rebound && bounded > units:
		d.Units, d.Cause = bounded, fmt.Sprintf("minimum capacity was set to %d", bounded)
	case t.Rebound && bounded < units:
		d.Units, d.Cause = bounded, fmt.Sprintf("maximum capacity was set to %d", bounded)
	case t.Policy != nil:
		t.track(f, &d)
	}
	if d.Units < units {
		_, d.Refused = f.Throughput.Changed(f.Throughput.With(t.Write, d.Units), f.Now)
	}
	return d
}

// track follows the policy.
func (t *Target) track(f Facts, d *Decision) {
	wanted, alarm := d.From, ""
	if least, most, ok := newest(f.Consumed, minutesAbove); ok && least > perMinute(d.From, t.Policy.Target) {
		wanted, alarm = min(t.Fitting(most), t.Max), alarmHigh
	}
	below := max(t.Policy.Target-belowPoints, belowMin)
	if _, most, ok := newest(f.Consumed, minutesBelow); ok && most < perMinute(d.From, below) {
		wanted, alarm = max(t.Fitting(most), t.Min), alarmLow
	}
	if wanted > d.From && alarm == alarmHigh && t.mayOut(f.Now) || wanted < d.From && alarm == alarmLow && t.mayIn(f.Now) {
		d.Units, d.Cause, d.policy = wanted, t.Policy.cause(t.ID, alarm), true
	}
}

func (t *Target) mayOut(now time.Time) bool {
	return !t.Suspended.Out && !within(now, t.OutMillis, t.Policy.OutCooldown)
}

func (t *Target) mayIn(now time.Time) bool {
	disabled := t.Policy.DisableIn != nil && *t.Policy.DisableIn
	return !t.Suspended.In && !disabled && !within(now, t.InMillis, t.Policy.InCooldown)
}

// Fitting are the units of which a minute's consumption is the target's percentage.
func (t *Target) Fitting(consumed float64) int64 {
	return max(1, int64(math.Ceil(consumed/60*100/t.Policy.Target)))
}

// perMinute is what a percentage of units consumes in a minute.
func perMinute(units int64, percent float64) float64 { return float64(units) * 60 * percent / 100 }

// newest are the extremes of the newest n minutes; false while there are fewer.
func newest(consumed []float64, n int) (least, most float64, ok bool) {
	if len(consumed) < n {
		return 0, 0, false
	}
	consumed = consumed[len(consumed)-n:]
	return slices.Min(consumed), slices.Max(consumed), true
}

// within tells whether a cooldown that began at a moment still lasts.
func within(now time.Time, beganMillis int64, seconds *int64) bool {
	return seconds != nil && beganMillis != 0 && now.UnixMilli() < beganMillis+*seconds*1000
}

// Done is the target after the units of a decision were set, or failed to be for a reason. It is the same one if there is nothing to add.
func (t *Target) Done(d Decision, now time.Time, failure string) *Target {
	c := t.Clone()
	a := t.rescaled(d, failure)
	a.StartMillis, a.EndMillis = now.UnixMilli(), now.UnixMilli()
	if !c.remember(a) {
		return t
	}
	switch {
	case failure != "":
		return c
	case d.policy && d.Units > d.From:
		c.OutMillis = a.EndMillis
	case d.policy:
		c.InMillis = a.EndMillis
	}
	return c.Bounded(d.Units)
}

// Bounded is the target when its units are known to be so many. New bounds have had their effect once these lie within.
func (t *Target) Bounded(units int64) *Target {
	if !t.Rebound || units < t.Min || units > t.Max {
		return t
	}
	c := t.Clone()
	c.Rebound = false
	return c
}
