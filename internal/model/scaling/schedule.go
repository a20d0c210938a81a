package scaling

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own
)

// Schedule says when something is to be done: once, at intervals, or at times of the calendar.
type Schedule struct {
	at   time.Time
	rate time.Duration
	cron *calendar
}

const atLayout = "2006-01-02T15:04:05"

// ParseSchedule reads an at, rate or cron expression and the name of its time zone, "" for UTC. The text is of a ValidationException.
func ParseSchedule(text, zone string) (Schedule, string) {
	if zone == "" {
		zone = "UTC"
	}
	place, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return Schedule{}, "Unknown or unsupported timezone: " + zone
	}
	kind, rest, _ := strings.Cut(text, "(")
	body, closed := strings.CutSuffix(rest, ")")
	s, ok := Schedule{}, false
	switch kind {
	case "at":
		s.at, err = time.ParseInLocation(atLayout, body, place)
		ok = err == nil
	case "rate":
		s.rate, ok = parseRate(body)
	case "cron":
		s.cron, ok = parseCalendar(body, place)
	}
	if !ok || !closed {
		return Schedule{}, "Invalid schedule expression: " + text
	}
	return s, ""
}

var rateUnits = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// rateMax bounds an interval to what a Duration holds many of.
const rateMax = 100 * 365 * 24 * time.Hour

func parseRate(text string) (time.Duration, bool) {
	value, name, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(value, 10, 64)
	unit, known := rateUnits[strings.TrimSuffix(name, "s")]
	// One of a unit is written without the s, more with it.
	if err != nil || !known || n < 1 || (n == 1) == strings.HasSuffix(name, "s") || n > int64(rateMax/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// next is the first moment after another; intervals are counted from the anchor.
func (s Schedule) next(after, anchor time.Time) (time.Time, bool) {
	switch {
	case s.cron != nil:
		return s.cron.next(after)
	case s.rate > 0:
		if after.Before(anchor) {
			return anchor, true
		}
		return anchor.Add((after.Sub(anchor)/s.rate + 1) * s.rate), true
	}
	return s.at, s.at.After(after)
}
