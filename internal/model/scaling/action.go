package scaling

import (
	"fmt"
	"strings"
	"time"
)

// Action is a scheduled action: it sets the bounds of its target when its schedule says so.
type Action struct {
	Name          string `json:"name"`
	Key           string `json:"key"` // a UUID in its ARN
	Schedule      string `json:"schedule"`
	Timezone      string `json:"timezone,omitempty"` // as sent, "" = UTC
	StartMillis   int64  `json:"startMillis,omitempty"`
	EndMillis     int64  `json:"endMillis,omitempty"` // 0 = not bounded, both
	Min           *int64 `json:"min,omitempty"`
	Max           *int64 `json:"max,omitempty"` // nil = the bound stays, both
	CreatedMillis int64  `json:"createdMillis"`
	NextMillis    int64  `json:"nextMillis,omitempty"` // when it is to be done; 0 = not any more
}

func byName(a Action, name string) int { return strings.Compare(a.Name, name) }

// Plan finds out when an action is to be done first. The text is of a ValidationException.
func (a *Action) Plan() string {
	s, text := ParseSchedule(a.Schedule, a.Timezone)
	if text == "" {
		a.plan(s, time.UnixMilli(max(a.CreatedMillis, a.StartMillis-1)))
	}
	return text
}

// plan finds the next moment after one.
func (a *Action) plan(s Schedule, after time.Time) {
	a.NextMillis = 0
	next, more := s.next(after, time.UnixMilli(max(a.CreatedMillis, a.StartMillis)))
	if more && (a.EndMillis == 0 || next.UnixMilli() <= a.EndMillis) {
		a.NextMillis = next.UnixMilli()
	}
}

func (a *Action) due(now time.Time) bool { return a.NextMillis != 0 && a.NextMillis <= now.UnixMilli() }

// Scheduled is the target after the scheduled actions that are due, in the order in which they were. It is the same one if none is.
func (t *Target) Scheduled(now time.Time) *Target {
	changed := t
	for !t.Suspended.Scheduled {
		at := changed.firstDue(now)
		if at < 0 {
			break
		}
		changed = changed.Clone()
		changed.fire(&changed.Actions[at], now)
	}
	return changed
}

// firstDue is the place of the action that has been due for longest, -1 if none is.
func (t *Target) firstDue(now time.Time) int {
	first := -1
	for i := range t.Actions {
		a := &t.Actions[i]
		if a.due(now) && (first < 0 || a.NextMillis < t.Actions[first].NextMillis) {
			first = i
		}
	}
	return first
}

// fire does what an action says. Of several times that were missed, as while no node ran, one is made up for.
func (t *Target) fire(a *Action, now time.Time) {
	if s, text := ParseSchedule(a.Schedule, a.Timezone); text == "" {
		a.plan(s, now)
	} else {
		a.NextMillis = 0 // it was lawful when it was put: its time zone is gone
	}
	lower, upper := t.Min, t.Max
	done := Activity{Cause: "scheduled action name " + a.Name + " was triggered", StartMillis: now.UnixMilli(), EndMillis: now.UnixMilli()}
	refused := t.SetBounds(a.Min, a.Max)
	done.Description = fmt.Sprintf("Setting min capacity to %d and max capacity to %d", t.Min, t.Max)
	if refused == "" {
		done.Status, done.Message = Successful, fmt.Sprintf("Successfully set min capacity to %d and max capacity to %d", t.Min, t.Max)
	} else {
		done.Status, done.Message = Failed, "Failed to set min and max capacity. Reason: "+refused
		t.Min, t.Max = lower, upper
	}
	t.remember(done)
}
