package ops

import (
	"fmt"

	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// checkQuotas refuses more provisioned units than the account's quotas allow (semantics §4): of one table with its global indexes, which
// binds new tables only, and of all of them together. Whoever wants no more than before is within them.
func (o *Ops) checkQuotas(before, t *table.Table) error {
	if !o.account.Quotas {
		return nil
	}
	for _, write := range []bool{false, true} {
		units := "ReadCapacityUnits"
		if write {
			units = "WriteCapacityUnits"
		}
		wanted := t.ProvisionedUnits(write)
		if wanted <= before.ProvisionedUnits(write) {
			continue
		}
		if before.Name == "" && wanted > capacity.TableUnitsMax {
			return overQuota("a new table and its global secondary indexes", units, capacity.TableUnitsMax, wanted)
		}
		if all := wanted + o.provisionedBeside(t.Name, write); all > capacity.AccountUnitsMax {
			return overQuota("all tables and global secondary indexes of the account", units, capacity.AccountUnitsMax, all)
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

func overQuota(of, units string, most, wanted int64) error {
	return api.NewLimitExceededException(fmt.Sprintf("Subscriber limit exceeded: The provisioned %s of %s are limited to %d. Requested: %d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.", units, of, most, wanted))
}
