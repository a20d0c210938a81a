package ops

import (
	"errors"
	"slices"
	"strings"

	"stator/internal/cluster/txn"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// admitTransaction lets all actions of a transaction through, or cancels it for those that are not, and gives back what the others paid.
func (o *Ops) admitTransaction(planned []plannedWrite) error {
	if o.account.Admission == nil {
		return nil
	}
	return o.admitActions(len(planned), func(i int) *throttle { return o.admitWrite(&planned[i], capacity.TransactFactor) },
		func(i int) { o.account.Admission.Charge(planned[i].request(-planned[i].paid)) })
}

// settleTransaction charges what the actions of a transaction turned out to cost. Of one that was performed before they were only read
// (semantics §3.9).
func (o *Ops) settleTransaction(planned []plannedWrite, outcome *txn.Outcome, failed error) {
	if o.account.Admission == nil {
		return
	}
	for i := range planned {
		p := &planned[i]
		if failed == nil && len(outcome.Results) == len(planned) {
			o.settleWrite(p, &outcome.Results[i], capacity.TransactFactor, nil)
			continue
		}
		o.account.Admission.Charge(p.request(-p.paid))
		if outcome.Replayed {
			replayed := p.request(readInTransaction(0).Table)
			replayed.Kind = capacity.Reads
			o.account.Admission.Charge(replayed)
		}
	}
}

// admitTogether is admitTransaction for one that reads.
func (o *Ops) admitTogether(planned []plannedRead) error {
	if o.account.Admission == nil {
		return nil
	}
	return o.admitActions(len(planned), func(i int) *throttle { return o.admit(planned[i].together(readInTransaction(0))) },
		func(i int) {
			back := planned[i].together(readInTransaction(0))
			back.Units = -back.Units
			o.account.Admission.Charge(back)
		})
}

// settleTogether is settleTransaction for one that reads. One that a partition could not take is cancelled.
func (o *Ops) settleTogether(planned []plannedRead, seen []command.Seen, failed error) error {
	if o.account.Admission == nil {
		return failed
	}
	for i := range planned {
		used := planned[i].together(capacity.Usage{})
		if failed == nil && len(seen) == len(planned) {
			used = planned[i].together(readInTransaction(seen[i].Size))
			if len(seen[i].Item) > 0 {
				o.countSizes(planned[i].table, capacity.Reads, 1, int64(seen[i].Size))
			}
		}
		used.Units -= readInTransaction(0).Table
		o.account.Admission.Charge(used)
	}
	beyond, ok := errors.AsType[*command.BeyondBound](failed)
	if !ok {
		return failed
	}
	reasons := make([]api.CancellationReason, len(planned))
	for i := range planned {
		reasons[i] = reason(reasonNone, "")
		if slices.Contains(beyond.At, i) {
			short := planned[i].together(readInTransaction(0))
			reasons[i] = throttledReason(&throttle{Payer: short.Payer})
			o.account.Admission.Refuse(short)
		}
	}
	return cancelled(reasons)
}

// together is what the table pays for a read in a transaction.
func (p *plannedRead) together(used capacity.Usage) capacity.Request {
	r := p.request()
	r.Units = used.Table
	return r
}

// admitActions lets n actions through, or cancels them all for those that are not; back gives back what an action paid.
func (o *Ops) admitActions(n int, admit func(i int) *throttle, back func(i int)) error {
	reasons := make([]api.CancellationReason, n)
	refused := false
	for i := range n {
		reasons[i] = reason(reasonNone, "")
		if why := admit(i); why != nil {
			reasons[i], refused = throttledReason(why), true
		}
	}
	if !refused {
		return nil
	}
	for i := range n {
		if *reasons[i].Code == reasonNone {
			back(i)
		}
	}
	return cancelled(reasons)
}

// throttledReason is why an action was not let through. It is said as in the exception, and ends in a full stop in any case.
func throttledReason(why *throttle) api.CancellationReason {
	code := reasonThrottling
	if why.Table.Billing == table.Provisioned {
		code = reasonProvisioned
	}
	return reason(code, strings.TrimSuffix(why.text(), ".")+".")
}
