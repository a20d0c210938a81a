package table

import (
	"testing"
	"time"
)

// semantics §4: four decreases at once, then one an hour, 27 on a day.
func TestDecreasesOfADay(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	units, refused := Throughput{Read: 1, Write: 100}, ""
	decrease := func(at time.Time) bool {
		wanted := units
		wanted.Write--
		units, refused = units.Changed(wanted, at)
		return refused == ""
	}
	for hour := range 24 {
		at := now.Add(time.Duration(hour) * time.Hour)
		most := 1
		if hour == 0 {
			most = 4
		}
		for range most {
			if !decrease(at) {
				t.Fatalf("at %s: %s", at, refused)
			}
		}
		if decrease(at.Add(59 * time.Minute)) {
			t.Errorf("within the hour of %s one more is possible", at)
		}
	}
	if units.Decreases != 27 {
		t.Errorf("%d decreases on a day", units.Decreases)
	}
	if !decrease(now.Add(24 * time.Hour)) {
		t.Errorf("on the next day: %s", refused)
	}
}
