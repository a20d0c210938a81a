package ops

import (
	"fmt"
	"time"

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
	if before.Billing == table.Provisioned && sameUnits(t.Throughput, wanted) {
		return sameThroughput("table", "table", t.Throughput)
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

func sameUnits(a, b table.Throughput) bool { return a.Read == b.Read && a.Write == b.Write }

// sameThroughput refuses a change to what is there already. subject and noun are "table" twice, or "index NAME" and "index".
func sameThroughput(subject, noun string, t table.Throughput) error {
	return api.NewValidationException(fmt.Sprintf("The provisioned throughput for the %s will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. "+
		"Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		subject, noun, t.Read, t.Read, noun, t.Write, t.Write))
}

// Decreases of provisioned throughput on one UTC day: some are free, then each has to wait after the last (semantics §4, §17.11).
const (
	decreasesFree    = 4
	decreasesMax     = 27
	decreaseInterval = time.Hour
)

// changedThroughput is a table's or index's throughput with new units and the marks of the change. Units that were zero, as those of an
// on-demand table are, do not count as an increase.
func (o *Ops) changedThroughput(now, wanted table.Throughput) (table.Throughput, error) {
	moment := o.now()
	next := now
	next.Read, next.Write = wanted.Read, wanted.Write
	if now.Read == 0 && now.Write == 0 {
		return next, nil
	}
	if wanted.Read < now.Read || wanted.Write < now.Write {
		today := decreasesToday(now, moment)
		last := time.UnixMilli(now.DecreasedMillis)
		if today >= decreasesMax || (today >= decreasesFree && moment.Sub(last) < decreaseInterval) {
			return now, tooManyDecreases(today, last)
		}
		next.Decreases, next.DecreasedMillis = today+1, moment.UnixMilli()
	}
	if wanted.Read > now.Read || wanted.Write > now.Write {
		next.IncreasedMillis = moment.UnixMilli()
	}
	return next, nil
}

// decreasesToday counts the decreases on the UTC day of now.
func decreasesToday(t table.Throughput, now time.Time) int64 {
	const day = "2006-01-02"
	if time.UnixMilli(t.DecreasedMillis).UTC().Format(day) != now.UTC().Format(day) {
		return 0
	}
	return t.Decreases
}

func tooManyDecreases(today int64, last time.Time) error {
	const layout = "Monday, January 2, 2006 3:04:05 PM UTC"
	return api.NewLimitExceededException(fmt.Sprintf("Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "+
		"After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every %d seconds. "+
		"Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
		decreasesFree, int(decreaseInterval.Seconds()), today, last.UTC().Format(layout), last.UTC().Add(decreaseInterval).Format(layout)))
}
