package ops

import (
	"errors"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// Admission lets requests through as far as their tables have throughput, and is told what they cost in the end. Without one everything is
// let through, and nothing counted.
type Admission interface {
	// Admit takes what a request is known to cost when it comes, or tells what refuses it.
	Admit(r capacity.Request) capacity.Limit
	// Charge takes what it cost besides; fewer units than none are given back.
	Charge(r capacity.Request)
	// Refuse is told of one that was let through and that its partition refused.
	Refuse(r capacity.Request)
}

// throttle is why a request was not let through: a limit of its table's, or of an index that it would have written.
type throttle struct {
	capacity.Payer
	kind  capacity.Kind
	limit capacity.Limit
}

// admit lets one payer's part of a request through; nil is yes.
func (o *Ops) admit(r capacity.Request) *throttle {
	if limit := o.account.Admission.Admit(r); limit != capacity.Unlimited {
		return &throttle{Payer: r.Payer, kind: r.Kind, limit: limit}
	}
	return nil
}

// admitWrite lets a write through; nil is yes. The table pays in advance what is known: of a put its item, of anything else one unit, times
// what a transaction makes of it. What an index pays is known only once the write has been decided, so that an index is asked no more than
// whether it has anything left: one that has not keeps the table from being written (semantics §18.2).
func (o *Ops) admitWrite(p *plannedWrite, times float64) *throttle {
	if o.account.Admission == nil {
		return nil
	}
	for i := range p.table.Global {
		ix := &p.table.Global[i]
		if ix.Status != table.IndexActive && ix.Status != table.IndexUpdating || !enters(ix, p.command) {
			continue
		}
		if why := o.admit(capacity.Request{Payer: capacity.Payer{Table: p.table, Index: ix}, Kind: capacity.Writes}); why != nil {
			return why
		}
	}
	p.paid = times
	if p.command.Action == command.Put {
		p.paid = times * capacity.Write(0, p.command.Item.Size())
	}
	return o.admit(p.request(p.paid))
}

// enters tells whether a command may write an entry of an index: a put whose item lacks the index's key at most removes one.
func enters(ix *table.Index, c *command.Command) bool {
	if c.Action == command.Check {
		return false
	}
	if c.Action != command.Put {
		return true
	}
	_, _, ok := ix.Key.Values(c.Item)
	return ok
}

func (p *plannedWrite) request(units float64) capacity.Request {
	return capacity.Request{Payer: capacity.Payer{Table: p.table}, Kind: capacity.Writes, Units: units, Key: p.command.Key}
}

// settleWrite charges what a write that was let through turned out to cost. One that failed cost nothing, one whose condition failed what
// the item there costs (semantics §3.5).
func (o *Ops) settleWrite(p *plannedWrite, result *command.Result, times float64, failed error) {
	switch {
	case o.account.Admission == nil:
		return
	case failed != nil:
		o.account.Admission.Charge(p.request(-p.paid))
		return
	case result.Refusal == command.Throttled:
		o.account.Admission.Refuse(p.refusedBy(result))
		o.account.Admission.Charge(p.request(-p.paid))
		return
	}
	if p.command.Action != command.Check && result.Refusal == command.Accepted && len(result.After) > 0 {
		o.countSizes(p.table, capacity.Writes, 1, int64(result.After.Size()))
	}
	used := usageOf(p.table, result)
	for name, units := range used.Global {
		ix, _ := p.table.GlobalIndex(name)
		of := capacity.Request{Payer: capacity.Payer{Table: p.table, Index: ix}, Kind: capacity.Writes, Units: units}
		if ix.Insights.On {
			of.Key = entryKey(ix, result)
		}
		o.account.Admission.Charge(of)
	}
	used.Global, used.Table = nil, times*used.Table
	o.account.Admission.Charge(p.request(used.Total() - p.paid))
}

// refusedBy is what a partition had no room for: the write, or what it would have brought to an index.
func (p *plannedWrite) refusedBy(result *command.Result) capacity.Request {
	why := throttledByPartition(p.table, result)
	if why.Index == nil {
		return p.request(p.paid)
	}
	units := capacity.IndexWrite(p.table, why.Index, result.Before, result.After)
	return capacity.Request{Payer: why.Payer, Kind: capacity.Writes, Units: units, Key: entryKey(why.Index, result)}
}

// throttledByPartition is why a partition refused a write: its own bound, or that of a part of an index, whose bound is behind it.
func throttledByPartition(t *table.Table, result *command.Result) *throttle {
	why := &throttle{Payer: capacity.Payer{Table: t}, kind: capacity.Writes, limit: capacity.KeyRangeThroughput}
	if ix, ok := t.GlobalIndex(result.Text); ok {
		why.Index = ix
	}
	return why
}

// entryKey is where in an index a write left an entry, or took it from.
func entryKey(ix *table.Index, result *command.Result) []byte {
	for _, item := range []attr.Map{result.After, result.Before} {
		if hash, rng, ok := ix.Key.Values(item); ok {
			return keys.Suffix(hash, rng)
		}
	}
	return nil
}

// usageOf is what a decided write cost.
func usageOf(t *table.Table, result *command.Result) capacity.Usage {
	if result.Refusal != command.Accepted || len(t.Local)+len(t.Global) == 0 {
		return capacity.Usage{Table: capacity.WriteOver(result.Before, result.BeforeBytes, result.After)}
	}
	return capacity.OfWrite(t, result.Before, result.After)
}

// admitRead lets a read through that costs r.Units at the least, or throttles it.
func (o *Ops) admitRead(r capacity.Request) error {
	if o.account.Admission == nil {
		return nil
	}
	if why := o.admit(r); why != nil {
		return o.throttled(why)
	}
	return nil
}

// settleRead charges what a read turned out to cost in all, r.Units of which are paid. One that failed cost nothing; one that its partition
// could not take is throttled.
func (o *Ops) settleRead(r capacity.Request, units float64, failed error) error {
	if o.account.Admission == nil {
		return failed
	}
	if failed != nil {
		units = 0
	}
	rest := r
	rest.Units = units - r.Units
	o.account.Admission.Charge(rest)
	if _, beyond := errors.AsType[*command.BeyondBound](failed); beyond {
		o.account.Admission.Refuse(r)
		return o.throttled(&throttle{Payer: r.Payer, kind: r.Kind, limit: capacity.KeyRangeThroughput})
	}
	return failed
}

// throttled is the answer to a request that was not let through. Which exception it is depends on how the table is paid for, and on whether
// the account's own quota is the limit (semantics §18.1).
func (o *Ops) throttled(why *throttle) error {
	refusal := api.NewThrottlingException(why.text())
	switch {
	case why.limit == capacity.AccountLimit:
		refusal = api.NewRequestLimitExceeded(accountThrottled)
	case why.Table.Billing == table.Provisioned:
		refusal = api.NewProvisionedThroughputExceededException(why.text())
	}
	reason, resource := why.Reason(why.kind, why.limit), o.tableARN(why.Table)
	if why.Index != nil {
		resource = o.indexARN(why.Table, why.Index)
	}
	refusal.ThrottlingReasons = []api.ThrottlingReason{{Reason: &reason, Resource: &resource}}
	return refusal
}

// text says what was short, of a table in other words than of an index.
func (t *throttle) text() string {
	switch provisioned := t.Table.Billing == table.Provisioned; {
	case provisioned && t.Index != nil:
		return provisionedIndexThrottled
	case provisioned:
		return provisionedThrottled
	case t.Index != nil:
		return onDemandIndexThrottled
	default:
		return onDemandThrottled
	}
}

const (
	onDemandThrottled = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling " +
		"your table or index so please try again shortly. If exceptions persist, check if you have a hot key: " +
		"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	onDemandIndexThrottled = "Throughput exceeds the current capacity for one or more global secondary indexes. " +
		"DynamoDB is automatically scaling your index so please try again shortly."
	provisionedThrottled = "The level of configured provisioned throughput for the table was exceeded. " +
		"Consider increasing your provisioning level with the UpdateTable API."
	provisionedIndexThrottled = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. " +
		"Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API"
	accountThrottled = "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at " +
		"https://aws.amazon.com/support request a limit increase"
)

// isThrottled tells whether an error says that there was not enough throughput: trying again later may help.
func isThrottled(err error) bool {
	refused, ok := errors.AsType[*api.Error](err)
	return ok && refused.ThrottlingReasons != nil
}
