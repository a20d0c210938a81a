// Package scaling is auto scaling of provisioned throughput as data and decisions: what may be scaled, by which policy and schedule, and
// what its units ought to be now. It does not know how consumption is counted, nor how a table is changed.
package scaling

import (
	"fmt"
	"maps"
	"slices"
)

// Target is something that is scaled, with its bounds and all that is known of its scaling. A Target that others can see is never
// changed: change a Clone.
type Target struct {
	ID
	Key           string            `json:"key"` // the end of its ARN
	Min           int64             `json:"min"`
	Max           int64             `json:"max"`
	Role          string            `json:"role,omitempty"` // as sent, "" = the service's own
	Suspended     Suspended         `json:"suspended"`
	CreatedMillis int64             `json:"createdMillis"`
	Tags          map[string]string `json:"tags,omitempty"`
	Policy        *Policy           `json:"policy,omitempty"`
	Actions       []Action          `json:"actions,omitempty"` // by name
	Activities    []Activity        `json:"activities,omitempty"`

	// Rebound is set when the bounds were, until the units were brought within them: units that are set by hand afterwards stay.
	Rebound bool `json:"rebound,omitempty"`
	// The ends of the policy's last activities, which its cooldowns count from; 0 = never.
	OutMillis int64 `json:"outMillis,omitempty"`
	InMillis  int64 `json:"inMillis,omitempty"`
}

// Suspended says which ways of scaling are suspended.
type Suspended struct {
	In        bool `json:"in,omitempty"`
	Out       bool `json:"out,omitempty"`
	Scheduled bool `json:"scheduled,omitempty"`
}

// Clone is a copy that shares nothing that the owner of either may change.
func (t *Target) Clone() *Target {
	c := *t
	c.Tags = maps.Clone(t.Tags)
	c.Actions = slices.Clone(t.Actions)
	c.Activities = slices.Clone(t.Activities)
	return &c
}

// SetBounds replaces the bounds that are not nil. The text is of a ValidationException.
func (t *Target) SetBounds(lower, upper *int64) string {
	if lower != nil {
		t.Min = *lower
	}
	if upper != nil {
		t.Max = *upper
	}
	switch {
	case t.Min < 1:
		return "Minimum capacity cannot be less than 1"
	case t.Max < t.Min:
		return "Maximum capacity cannot be less than minimum capacity"
	}
	t.Rebound = t.Rebound || lower != nil || upper != nil
	return ""
}

// Percentages that a policy may aim at.
const (
	targetMin = 20
	targetMax = 90
)

// CheckTarget is the text against a percentage that no policy may aim at.
func (id ID) CheckTarget(percent float64) string {
	if percent >= targetMin && percent <= targetMax {
		return ""
	}
	return fmt.Sprintf("For predefined metric type %s, target value must be between '%d.0' and '%d.0', but was '%s'.",
		id.Metric(), targetMin, targetMax, decimal(percent))
}

// decimal is a number as the service writes it, with a fraction in any case.
func decimal(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d.0", int64(v))
	}
	return fmt.Sprint(v)
}

// Action finds a scheduled action by name.
func (t *Target) Action(name string) (*Action, bool) {
	at, ok := slices.BinarySearchFunc(t.Actions, name, byName)
	if !ok {
		return nil, false
	}
	return &t.Actions[at], true
}

// PutAction adds a scheduled action, or replaces the one of its name.
func (t *Target) PutAction(a Action) {
	at, ok := slices.BinarySearchFunc(t.Actions, a.Name, byName)
	if ok {
		t.Actions[at] = a
		return
	}
	t.Actions = slices.Insert(t.Actions, at, a)
}

// DeleteAction removes a scheduled action, and tells whether it was there.
func (t *Target) DeleteAction(name string) bool {
	at, ok := slices.BinarySearchFunc(t.Actions, name, byName)
	if ok {
		t.Actions = slices.Delete(t.Actions, at, at+1)
	}
	return ok
}
