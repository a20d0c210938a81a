package ops

import (
	"fmt"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// updateThroughput changes the billing mode and units of t, a copy of before.
func (o *Ops) updateThroughput(t, before *table.Table, in *api.UpdateTableInput) error {
	if in.BillingMode != nil {
		t.Billing = billingOf(in.BillingMode)
	}
	if t.Billing != before.Billing {
		if movesIndexes(in.GlobalSecondaryIndexUpdates) {
			return indexAndThroughput()
		}
		o.switchBilling(t)
	}
	if sent := in.OnDemandThroughput; sent != nil {
		wanted := onDemandOf(sent)
		if text := wanted.WithoutClears().Check(t.Billing, "table"); text != "" {
			return api.NewValidationException(text)
		}
		t.OnDemand = t.OnDemand.Merged(wanted)
	}
	if in.ProvisionedThroughput == nil {
		return nil
	}
	if t.Billing == table.OnDemandBilling {
		return throughputOnDemand()
	}
	wanted := throughputOf(in.ProvisionedThroughput)
	if before.Billing == table.Provisioned && t.Throughput.SameUnits(wanted) {
		return sameThroughput("table", "the table", t.Throughput)
	}
	var err error
	if t.Throughput, err = o.changedThroughput(t.Throughput, wanted); err != nil {
		return err
	}
	t.Warm = t.Warm.Raised(wanted.Warm())
	t.State = table.Updating
	return nil
}

// switchBilling gives t the settings of its new billing mode. Units of a provisioned table are still to be set.
func (o *Ops) switchBilling(t *table.Table) {
	t.State = table.Updating
	t.Throughput, t.OnDemand = table.Throughput{}, table.OnDemand{}
	if t.Billing == table.OnDemandBilling {
		t.BillingMillis = o.now().UnixMilli()
		t.Warm = t.Warm.Raised(table.WarmOnDemand)
	}
	for i := range t.Global {
		ix := &t.Global[i]
		ix.Throughput, ix.OnDemand = table.Throughput{}, table.OnDemand{}
		if t.Billing == table.OnDemandBilling {
			ix.Warm = ix.Warm.Raised(table.WarmOnDemand)
		}
	}
}

// sameThroughput refuses a change to what is there already. subject and whose are "table" and "the table", or "index NAME" twice.
func sameThroughput(subject, whose string, t table.Throughput) error {
	return api.NewValidationException(fmt.Sprintf("The provisioned throughput for the %s will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for %s: %d. Requested ReadCapacityUnits: %d. "+
		"Current WriteCapacityUnits provisioned for %s: %d. Requested WriteCapacityUnits: %d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		subject, whose, t.Read, t.Read, whose, t.Write, t.Write))
}

// changedThroughput is a table's or index's throughput with new units and the marks of the change. Those that come with another billing
// mode are described at once.
func (o *Ops) changedThroughput(now, wanted table.Throughput) (table.Throughput, error) {
	next, refused := now.Changed(wanted, o.now())
	if refused != "" {
		return now, api.NewLimitExceededException(refused)
	}
	if !now.SameUnits(table.Throughput{}) {
		next.Before = &now
	}
	return next, nil
}
