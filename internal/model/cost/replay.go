package cost

import (
	"fmt"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// bank is the burst of a setting that was used by minutes: what was not spent, up to a bound.
type bank struct{ saved float64 }

// minute spends what is asked for in one, and returns what was short.
func (b *bank) minute(asked float64, units int64) (short float64) {
	full := float64(units) * capacity.BurstSeconds
	left := min(b.saved, full) + float64(units)*60 - asked
	b.saved = min(max(left, 0), full)
	return max(-left, 0)
}

func (b *bank) spend(minutes []float64, units int64) (short float64) {
	for _, asked := range minutes {
		short += b.minute(asked, units)
	}
	return short
}

// Scaling is how something is scaled, or would be.
type Scaling struct {
	Min    int64   `json:"min"`
	Max    int64   `json:"max"`
	Target float64 `json:"target"` // percent
}

// DefaultScaling is the one to compare with where none is registered: DynamoDB's own default, up to the quota of a table.
var DefaultScaling = Scaling{Min: 1, Max: capacity.TableUnitsMax, Target: 70}

// replayed is what auto scaling would have made of minutes.
type replayed struct {
	units       float64 // provisioned on average
	least, most int64
	short       float64
	percent     float64
}

func (r replayed) String() string {
	if r.least == r.most {
		return fmt.Sprintf("%s at %g %%", setting(r.least), r.percent)
	}
	return fmt.Sprintf("%d to %d units at %g %%", r.least, r.most, r.percent)
}

// replay decides as the scaling of tables does, minute by minute. What is throttled is not consumed, which is all that a policy sees. It
// begins with the units of which the first minute is the target.
func (s Scaling) replay(minutes []float64, from time.Time) replayed {
	if s == (Scaling{}) {
		s = DefaultScaling
	}
	target := scaling.Target{Min: s.Min, Max: s.Max, Policy: &scaling.Policy{Target: s.Target}}
	provisioned := table.Throughput{Read: s.Min}
	if len(minutes) > 0 {
		provisioned.Read = min(max(s.Min, target.Fitting(minutes[0])), s.Max)
	}
	r := replayed{least: provisioned.Read, most: provisioned.Read, percent: s.Target}
	var burst bank
	consumed := make([]float64, 0, len(minutes))
	for i, asked := range minutes {
		short := burst.minute(asked, provisioned.Read)
		r.short += short
		r.units += float64(provisioned.Read) / float64(len(minutes))
		consumed = append(consumed, asked-short)
		now := from.Add(time.Duration(i+1) * time.Minute)
		d := target.Decide(scaling.Facts{Now: now, Throughput: provisioned, Consumed: consumed})
		if d.Units == d.From || d.Refused != "" {
			continue
		}
		provisioned, _ = provisioned.Changed(table.Throughput{Read: d.Units}, now)
		r.least, r.most = min(r.least, d.Units), max(r.most, d.Units)
	}
	if len(minutes) == 0 {
		r.units = float64(s.Min)
	}
	return r
}

func setting(units int64) string {
	if units == 1 {
		return "1 unit"
	}
	return fmt.Sprintf("%d units", units)
}
