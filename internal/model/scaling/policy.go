package scaling

// Policy is a target tracking policy: consumption is to be at a percentage of what is provisioned.
type Policy struct {
	Name          string  `json:"name"`
	Key           string  `json:"key"`                   // a UUID in its ARN and in the names of its alarms
	Target        float64 `json:"target"`                // percent
	OutCooldown   *int64  `json:"outCooldown,omitempty"` // both in seconds, nil = not sent: there is none
	InCooldown    *int64  `json:"inCooldown,omitempty"`
	DisableIn     *bool   `json:"disableIn,omitempty"`
	CreatedMillis int64   `json:"createdMillis"`
}

// The alarms of a policy. Nothing is kept of them: a policy looks at the minutes itself.
const (
	alarmHigh            = "AlarmHigh"
	alarmLow             = "AlarmLow"
	alarmProvisionedHigh = "ProvisionedCapacityHigh"
	alarmProvisionedLow  = "ProvisionedCapacityLow"
)

// Alarms are the names of what watches a target's consumption for its policy, and whether somebody else changes its units.
func (p *Policy) Alarms(of ID) (names []string) {
	for _, kind := range []string{alarmHigh, alarmLow, alarmProvisionedHigh, alarmProvisionedLow} {
		names = append(names, p.alarm(of, kind))
	}
	return names
}

func (p *Policy) alarm(of ID, kind string) string {
	return "TargetTracking-" + of.Resource() + "-" + kind + "-" + p.Key
}

func (p *Policy) cause(of ID, kind string) string {
	return "monitor alarm " + p.alarm(of, kind) + " in state ALARM triggered policy " + p.Name
}
