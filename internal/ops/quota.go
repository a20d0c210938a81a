package ops

import (
	"fmt"

	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

const higherQuotas = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."

// checkQuotas refuses more units than the account's quotas allow (semantics §4): provisioned ones of the table, of each of its global
// indexes, and of all tables and global indexes together; bounds of on-demand ones and warm throughput of the table and of each of its
// global indexes. Whoever wants no more than before is within them.
func (o *Ops) checkQuotas(before, t *table.Table) error {
	if !o.account.Quotas {
		return nil
	}
	if t.Billing == table.Provisioned {
		for _, write := range []bool{false, true} {
			if err := o.checkQuota(before, t, write); err != nil {
				return err
			}
		}
	}
	return o.checkWishes(before, t)
}

func (o *Ops) checkQuota(before, t *table.Table, write bool) error {
	units := "ReadCapacityUnits"
	if write {
		units = "WriteCapacityUnits"
	}
	tooMany := func(wanted, had int64) bool { return wanted > had && wanted > capacity.TableUnitsMax }
	if wanted := t.Throughput.Units(write); tooMany(wanted, before.Throughput.Units(write)) {
		return o.overQuota(units, wanted, "table")
	}
	for i := range t.Global {
		var had int64
		if ix, ok := before.GlobalIndex(t.Global[i].Name); ok {
			had = ix.Throughput.Units(write)
		}
		if wanted := t.Global[i].Throughput.Units(write); tooMany(wanted, had) {
			return o.overQuota(units+" for index "+t.Global[i].Name, wanted, "index")
		}
	}
	had := before.ProvisionedUnits(write)
	more, reserved := t.ProvisionedUnits(write)-had, had+o.provisionedBeside(t.Name, write)
	if more > 0 && reserved+more > capacity.AccountUnitsMax {
		return api.NewLimitExceededException(fmt.Sprintf("This request would have caused the %s limit to be exceeded for the account in %s. "+
			"Current %[1]s reserved by the account: %[3]d. Limit: %[4]d. Requested: %[5]d. "+higherQuotas,
			units, o.account.Region, reserved, capacity.AccountUnitsMax, more))
	}
	return nil
}

// checkWishes holds what is asked for beside provisioned units to the quota of one table.
func (o *Ops) checkWishes(before, t *table.Table) error {
	had := unitWishes{before.OnDemand, before.Warm}
	if err := o.checkUnitWishes(had, unitWishes{t.OnDemand, t.Warm}, "table", "table"); err != nil {
		return err
	}
	for i := range t.Global {
		ix := &t.Global[i]
		var had unitWishes
		if old, ok := before.GlobalIndex(ix.Name); ok {
			had = unitWishes{old.OnDemand, old.Warm}
		}
		if err := o.checkUnitWishes(had, unitWishes{ix.OnDemand, ix.Warm}, "index : "+ix.Name, "index "+ix.Name); err != nil {
			return err
		}
	}
	return nil
}

// unitWishes are what a table or index may take on demand and what it is to serve at once.
type unitWishes struct {
	onDemand table.OnDemand
	warm     table.Warm
}

// checkUnitWishes names the table or index as the service does: bounded for one, warmed for the other.
func (o *Ops) checkUnitWishes(had, wanted unitWishes, bounded, warmed string) error {
	for _, w := range []struct {
		had, wanted         int64
		member, what, quota string
	}{
		{had.onDemand.Read, wanted.onDemand.Read, "MaxReadRequestUnits", "OnDemandThroughput for " + bounded, "Read"},
		{had.onDemand.Write, wanted.onDemand.Write, "MaxWriteRequestUnits", "OnDemandThroughput for " + bounded, "Write"},
		{had.warm.Read, wanted.warm.Read, "ReadUnitsPerSecond", "WarmThroughput for " + warmed, "Read"},
		{had.warm.Write, wanted.warm.Write, "WriteUnitsPerSecond", "WarmThroughput for " + warmed, "Write"},
	} {
		if w.wanted > w.had && w.wanted > capacity.TableUnitsMax {
			return api.NewLimitExceededException(fmt.Sprintf("Subscriber limit exceeded: Requested %s for %s exceeds TableMax%sCapacityUnits "+
				"of the account in region %s", w.member, w.what, w.quota, o.account.Region))
		}
	}
	return nil
}

// provisionedBeside are the units of all tables but one.
func (o *Ops) provisionedBeside(name string, write bool) (units int64) {
	for _, other := range o.catalog.Names() {
		if t, ok := o.catalog.Table(other); ok && other != name {
			units += t.ProvisionedUnits(write)
		}
	}
	return units
}

// overQuota is told of the table's maximum where an index has too many, too.
func (o *Ops) overQuota(units string, wanted int64, of string) error {
	return api.NewLimitExceededException(fmt.Sprintf("The requested %s, %d, is above the per %s maximum for the account in %s. Per table maximum: %d. "+
		higherQuotas, units, wanted, of, o.account.Region, capacity.TableUnitsMax))
}
