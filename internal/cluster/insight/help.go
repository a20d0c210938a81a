package insight

import (
	"fmt"
	"math"

	"stator/internal/model/capacity"
)

// help tells what would end a throttle, the surest first.
func help(t *Throttle, payer capacity.Payer, by capacity.Bound) (help []string) {
	name, units := "table "+payer.Table.Name, "ReadCapacityUnits"
	if payer.Index != nil {
		name = "index " + payer.Index.Name
	}
	if t.Kind == "writes" {
		units = "WriteCapacityUnits"
	}
	say := func(format string, a ...any) { help = append(help, fmt.Sprintf(format, a...)) }
	if payer.Index != nil && t.Kind == "writes" {
		say("A write of the table that enters, changes or leaves an index is one of the index too: without units for it there, the table cannot be written.")
	}
	need := worst(t.Minutes)
	inPart := float64(need) <= by.PerSecond
	switch {
	case by.OfPartition:
		helpPartition(t, payer, say)
	case by.Limit == capacity.ProvisionedThroughput && inPart:
		say("No whole minute asked for more than that, a part of one did: spread the requests, or raise the %s of %s above %.0f.", units, name, by.PerSecond)
	case by.Limit == capacity.ProvisionedThroughput:
		say("Raise the %s of %s from %.0f to %d, which is what was asked for in the worst minute, retries with it.", units, name, by.PerSecond, need)
		say("Or have it scaled by what it consumes (docs/scaling.md), or let the table pay by the request (BillingMode PAY_PER_REQUEST).")
	case by.Limit == capacity.MaxOnDemandThroughput:
		say("Raise the maximum of %s from %.0f, or lift it with -1 (OnDemandThroughput of UpdateTable).", name, by.PerSecond)
	case by.Limit == capacity.AccountLimit:
		say("No table or index has more than %.0f units a second: spread the load over several tables.", by.PerSecond)
	case inPart:
		say("No whole minute asked for more than that, a part of one did: spread the requests, or warm %s for more (WarmThroughput of UpdateTable).", name)
	default:
		say("Warm %s for %d units a second before they are asked for (WarmThroughput of UpdateTable).", name, need)
		say("Or let the load rise by itself: a minute's consumption counts as the previous peak 30 minutes later, and twice of it is served then.")
	}
	return help
}

// helpPartition is help against the limit of one partition, which no throughput of its table lifts.
func helpPartition(t *Throttle, payer capacity.Payer, say func(format string, a ...any)) {
	one := Range{}
	if len(t.Ranges) == 1 {
		one = t.Ranges[0]
	}
	whole := len(payer.Table.Local) > 0 && payer.Index == nil // a collection stays together
	switch {
	case one.Key == "":
		say("Wait half a minute: heat that lasts has the partition split where its traffic parts. 'stator split TABLE --at KEY' does it at once.")
	case one.Item:
		say("All of it is one item, %s: no partition is smaller.", one.Key)
	case whole:
		say("All of it is one partition key, %s, whose items stay together for the sake of the local indexes.", one.Key)
	default:
		say("All of it is one partition key, %s. Heat that lasts half a minute has it split between its items, unless each is newer than the last.", one.Key)
	}
	if t.Kind == "reads" {
		say("Read eventually consistent, for half the units and from any copy, or keep what is read in a cache.")
	} else if one.Key != "" {
		say("Write under several keys, such as the key with a number behind it, and read those together.")
	}
}

// worst is what was asked for a second when most was, in whole units.
func worst(minutes []Minute) int {
	most := 0.0
	for i := range minutes {
		most = max(most, minutes[i].Asked, minutes[i].PerSecond)
	}
	return int(math.Ceil(most))
}
