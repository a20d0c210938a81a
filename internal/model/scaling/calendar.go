package scaling

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// calendar is a cron expression of six fields: minutes, hours, days of the month, months, days of the week, years.
type calendar struct {
	place                 *time.Location
	minutes, hours, years set
	days, months          set
	weekdays              set // 1 = Sunday
	lastDay               bool
	nearest               int // the weekday nearest to this day of the month; 0 = not asked for
	weekday, occurrence   int // the occurrence of a weekday in its month, -1 = the last; 0 = not asked for
}

// set holds the numbers of a field; nil is a field that is not looked at.
type set map[int]bool

const (
	yearMin = 1970
	yearMax = 2199
	fields  = 6
)

var (
	monthNames   = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	weekdayNames = strings.Fields("SUN MON TUE WED THU FRI SAT")
)

func parseCalendar(text string, place *time.Location) (*calendar, bool) {
	parts := strings.Fields(text)
	// Days are given either by month or by week.
	if len(parts) != fields || (parts[2] == "?") == (parts[4] == "?") {
		return nil, false
	}
	c := &calendar{place: place}
	for i, field := range []struct {
		into *set
		rank
	}{
		{&c.minutes, rank{0, 59, nil}}, {&c.hours, rank{0, 23, nil}}, {&c.days, rank{1, 31, nil}},
		{&c.months, rank{1, 12, monthNames}}, {&c.weekdays, rank{1, 7, weekdayNames}}, {&c.years, rank{yearMin, yearMax, nil}},
	} {
		part := strings.ToUpper(parts[i])
		if i == 2 && c.parseMonthDay(part) || i == 4 && c.parseWeekday(part) {
			continue
		}
		found, ok := field.parse(part)
		if !ok {
			return nil, false
		}
		*field.into = found
	}
	return c, true
}

// parseMonthDay reads what only days of the month can be: ?, L for the last, 15W for the weekday nearest to the 15th.
func (c *calendar) parseMonthDay(part string) bool {
	if number, ok := strings.CutSuffix(part, "W"); ok {
		c.nearest, _ = rank{1, 31, nil}.number(number)
		return c.nearest > 0
	}
	c.lastDay = part == "L"
	return part == "?" || c.lastDay
}

// parseWeekday reads what only days of the week can be: ?, L for Saturday, 6L for the last Friday of the month, 6#3 for its third.
func (c *calendar) parseWeekday(part string) bool {
	days := rank{1, 7, weekdayNames}
	if day, nth, ok := strings.Cut(part, "#"); ok {
		c.weekday, _ = days.number(day)
		c.occurrence, _ = rank{1, 5, nil}.number(nth)
		return c.weekday > 0 && c.occurrence > 0
	}
	day, last := strings.CutSuffix(part, "L")
	switch {
	case part == "?":
		return true
	case part == "L":
		c.weekdays = set{7: true}
		return true
	case last:
		c.weekday, _ = days.number(day)
		c.occurrence = -1
		return c.weekday > 0
	}
	return false
}

// rank is what numbers a field may hold, and the names of them.
type rank struct {
	min, max int
	names    []string
}

func (r rank) number(text string) (int, bool) {
	if at := slices.Index(r.names, text); at >= 0 {
		return r.min + at, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < r.min || n > r.max {
		return 0, false
	}
	return n, true
}

// parse reads a list of numbers, ranges and steps: *, 5, 1-5, 0/15, 10-40/10.
func (r rank) parse(text string) (set, bool) {
	found := set{}
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, false
			}
		}
		first, last, ok := r.span(span, stepped)
		if !ok {
			return nil, false
		}
		for n := first; n <= last; n += step {
			found[n] = true
		}
	}
	return found, true
}

// span reads *, one number or a range of them. Steps from one number go on to the end.
func (r rank) span(text string, stepped bool) (first, last int, ok bool) {
	if text == "*" {
		return r.min, r.max, true
	}
	from, to, ranged := strings.Cut(text, "-")
	first, ok = r.number(from)
	switch {
	case ranged && ok:
		last, ok = r.number(to)
	case stepped:
		last = r.max
	default:
		last = first
	}
	return first, last, ok && first <= last
}

// next is the first moment of the calendar after another.
func (c *calendar) next(after time.Time) (time.Time, bool) {
	after = after.In(c.place)
	year, month, day := after.Date()
	for date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); date.Year() <= yearMax; date = date.AddDate(0, 0, 1) {
		if !c.holds(date) {
			continue
		}
		for hour := range 24 {
			for minute := range 60 {
				if !c.hours[hour] || !c.minutes[minute] {
					continue
				}
				// An hour that is skipped in spring comes an hour later, one that comes twice in autumn counts once.
				if moment := time.Date(date.Year(), date.Month(), date.Day(), hour, minute, 0, 0, c.place); moment.After(after) {
					return moment, true
				}
			}
		}
	}
	return time.Time{}, false
}

// holds tells whether a day is one of the calendar's.
func (c *calendar) holds(date time.Time) bool {
	if !c.years[date.Year()] || !c.months[int(date.Month())] {
		return false
	}
	day, weekday, length := date.Day(), int(date.Weekday())+1, monthLength(date)
	switch {
	case c.lastDay:
		return day == length
	case c.nearest > 0:
		return day == nearestWeekday(date, min(c.nearest, length))
	case c.weekday > 0 && c.occurrence < 0:
		return weekday == c.weekday && day+7 > length
	case c.weekday > 0:
		return weekday == c.weekday && (day-1)/7+1 == c.occurrence
	case c.weekdays != nil:
		return c.weekdays[weekday]
	}
	return c.days[day]
}

func monthLength(date time.Time) int {
	return time.Date(date.Year(), date.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day, in the same month.
func nearestWeekday(date time.Time, day int) int {
	switch time.Date(date.Year(), date.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == monthLength(date) {
			return day - 2
		}
		return day + 1
	}
	return day
}
