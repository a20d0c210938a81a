package ops

import "stator/internal/model/table"

// NoEffect is a member of CreateTable and UpdateTable that is checked, kept and described as DynamoDB does it, and changes nothing else.
type NoEffect struct {
	Member string
	Reason string // why, in a sentence
	// unmetered tells that it has its effect where throughput is enforced.
	unmetered bool
	// switchedOn tells that a change of a table set the member; nil where a part of the effect is there, which is not worth a line in the log.
	switchedOn func(before, after *table.Table) bool
}

var noEffects = []NoEffect{
	{"SSESpecification", "Items lie on disk as they are: encrypt the volume of the data directory.", false, func(before, after *table.Table) bool {
		return after.Encryption.Enabled && !before.Encryption.Enabled
	}},
	{"TableClass", "Both classes are stored alike: a class is a matter of prices.", false, func(before, after *table.Table) bool {
		return after.Class != "" && before.Class == ""
	}},
	{"OnDemandThroughput", "With `--capacity off`, requests beyond the maximum of a table or index are not throttled.", true, func(before, after *table.Table) bool {
		return limited(after) && !limited(before)
	}},
	{"WarmThroughput", "With `--capacity off`, a table serves at once what the machine can.", true, func(before, after *table.Table) bool {
		return after.Warm != before.Warm.Raised(after.Throughput.Warm()).Raised(billingWarm(after))
	}},
	{"ProvisionedThroughput", "With `--capacity off` it gives a new table its number of partitions; requests beyond it are not throttled.", true, nil},
}

// NoEffects lists the members that are accepted without effect.
func NoEffects() []NoEffect { return noEffects }

// limited tells whether a bound is set on an on-demand table or one of its indexes.
func limited(t *table.Table) bool {
	if t.OnDemand != (table.OnDemand{}) {
		return true
	}
	for i := range t.Global {
		if t.Global[i].OnDemand != (table.OnDemand{}) {
			return true
		}
	}
	return false
}

// billingWarm is the warm throughput that every table of a billing mode has.
func billingWarm(t *table.Table) table.Warm {
	if t.Billing == table.OnDemandBilling {
		return table.WarmOnDemand
	}
	return table.Warm{}
}

// reportNoEffect logs the members that a change of a table set and that are only kept to be described.
func (o *Ops) reportNoEffect(before, after *table.Table) {
	if o.account.Log == nil {
		return
	}
	for _, m := range noEffects {
		if m.unmetered && o.account.Admission != nil {
			continue
		}
		if m.switchedOn != nil && m.switchedOn(before, after) {
			o.account.Log.Info("accepted without effect", "table", after.Name, "member", m.Member)
		}
	}
}
