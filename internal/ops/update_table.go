package ops

import (
	"context"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// UpdateTable changes one kind of thing about a table. What partitions have to take notice of is stored in state UPDATING, and a job makes
// the table ACTIVE once they have; the rest is done when this returns.
func (o *Ops) UpdateTable(ctx context.Context, in *api.UpdateTableInput) (*api.UpdateTableOutput, error) {
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	before := &table.Table{}
	t, err := o.changeTable(ctx, o.tableName(*in.TableName), func(t *table.Table) (*table.Table, error) {
		before = t
		return o.updatedTable(t, in)
	})
	if err != nil {
		return nil, err
	}
	o.reportNoEffect(before, t)
	d, err := o.describe(ctx, t)
	if err != nil {
		return nil, err
	}
	describeUpdate(d, before, in)
	// Filling an index takes as long as its table is large.
	if len(in.GlobalSecondaryIndexUpdates) == 0 {
		o.catalog.Await(ctx, t)
	}
	return &api.UpdateTableOutput{TableDescription: d}, nil
}

// describeUpdate makes of a table's description that of the request that changed it (ack-api-quirks DDB-TABLE-177, -182, -284): a billing
// mode or class is being changed, even to what it was, a class is still the one before, and a bound that was taken away is told as such.
func describeUpdate(d *api.TableDescription, before *table.Table, in *api.UpdateTableInput) {
	if in.BillingMode != nil || in.TableClass != nil {
		d.TableStatus = ref(api.TableStatusUpdating)
	}
	if in.TableClass != nil {
		d.TableClassSummary = classSummary(before)
	}
	cleared := onDemandOf(in.OnDemandThroughput).Clears()
	if cleared == (table.OnDemandWish{}) {
		return
	}
	if d.OnDemandThroughput == nil {
		d.OnDemandThroughput = &api.OnDemandThroughput{}
	}
	if cleared.Read != nil {
		d.OnDemandThroughput.MaxReadRequestUnits = cleared.Read
	}
	if cleared.Write != nil {
		d.OnDemandThroughput.MaxWriteRequestUnits = cleared.Write
	}
}

// checkUpdate makes the checks that need only the request (semantics §16 UpdateTable).
func checkUpdate(in *api.UpdateTableInput) error {
	if err := checkSomethingToUpdate(in); err != nil {
		return err
	}
	if err := checkUpdateThroughput(in); err != nil {
		return err
	}
	if err := checkUpdateAlone(in); err != nil {
		return err
	}
	if err := checkIndexUpdates(in); err != nil {
		return err
	}
	if err := checkUpdateStream(in.StreamSpecification); err != nil {
		return err
	}
	return checkSupported(
		sentMember{refusedGlobalTables, in.ReplicaUpdates != nil || in.MultiRegionConsistency != nil || in.GlobalTableWitnessUpdates != nil ||
			in.GlobalTableSettingsReplicationMode != nil || in.DisassociationProtectionEnabled != nil},
		sentMember{refusedVectors, in.VectorIndexUpdates != nil},
	)
}

// updateMember is a member of UpdateTable by the name that texts give it.
type updateMember struct {
	name string
	some bool // it asks for something, which an empty list or structure does not
}

func asksOnDemand(in *api.UpdateTableInput) bool {
	return value(in.OnDemandThroughput) != (api.OnDemandThroughput{})
}

func asksWarm(in *api.UpdateTableInput) bool {
	return value(in.WarmThroughput) != (api.WarmThroughput{})
}

func updateMembers(in *api.UpdateTableInput) []updateMember {
	return []updateMember{
		{"ProvisionedThroughput", in.ProvisionedThroughput != nil},
		{"BillingMode", in.BillingMode != nil},
		{"UpdateStreamEnabled", in.StreamSpecification != nil},
		{"GlobalSecondaryIndexUpdates", len(in.GlobalSecondaryIndexUpdates) > 0},
		{"SSESpecification", in.SSESpecification != nil},
		{"ReplicaUpdates", len(in.ReplicaUpdates) > 0},
		// Two members that no client can send any more still stand in the text.
		{"MultiAccountReplicaReady", false},
		{"ReplicaTransitRoleArn", false},
		{"MultiRegionConsistency", in.MultiRegionConsistency != nil},
		{"DeletionProtectionEnabled", in.DeletionProtectionEnabled != nil},
		{"OnDemandThroughput", asksOnDemand(in)},
		{"WarmThroughput", asksWarm(in)},
		{"TableClass", in.TableClass != nil},
	}
}

// checkSomethingToUpdate refuses a request without a change (errors.json ut-nothing). Beside a change, an empty list is a fault by itself.
func checkSomethingToUpdate(in *api.UpdateTableInput) error {
	if in.VectorIndexUpdates != nil || in.GlobalTableWitnessUpdates != nil || in.GlobalTableSettingsReplicationMode != nil ||
		in.DisassociationProtectionEnabled != nil {
		return nil
	}
	var names []string
	for _, m := range updateMembers(in) {
		switch names = append(names, m.name); {
		case m.some && in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0:
			return invalidValue("List of GlobalSecondaryIndexUpdates is empty")
		case m.some:
			return nil
		}
	}
	last := len(names) - 1
	return api.NewValidationException("At least one of " + strings.Join(names[:last], ", ") + " or " + names[last] + " is required")
}

func checkUpdateThroughput(in *api.UpdateTableInput) error {
	mode := value(in.BillingMode)
	if mode == api.BillingModePayPerRequest && in.ProvisionedThroughput != nil {
		return throughputOnDemand()
	}
	if mode == api.BillingModeProvisioned && in.ProvisionedThroughput == nil {
		return invalidValue("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	if err := firstText(throughputOf(in.ProvisionedThroughput).Check(""), warmOf(in.WarmThroughput).Check("table")); err != nil {
		return err
	}
	return checkIndexWarmth(in.GlobalSecondaryIndexUpdates)
}

// checkUpdateAlone refuses changes that do not go together (semantics §17.8).
func checkUpdateAlone(in *api.UpdateTableInput) error {
	sent := 0
	for _, m := range updateMembers(in) {
		if m.some {
			sent++
		}
	}
	if sent > 1 {
		for _, m := range []struct {
			text string
			sent bool
		}{
			{"Server-Side Encryption modification", in.SSESpecification != nil},
			{"TableClass modification", in.TableClass != nil},
			{"DeletionProtection modification", in.DeletionProtectionEnabled != nil},
			{"Replica modification", len(in.ReplicaUpdates) > 0},
		} {
			if m.sent {
				return invalidValue(m.text + " must be the only operation in the request")
			}
		}
		switch {
		case !asksWarm(in):
		case createsIndex(in.GlobalSecondaryIndexUpdates):
			return invalidValue("Create global secondary index cannot be specified when updating WarmThroughput")
		case sent > 2 || !warmsIndexes(in.GlobalSecondaryIndexUpdates):
			return invalidValue("WarmThroughput must be the only operation in the request")
		}
	}
	if asksOnDemand(in) && (sent > 2 || (sent == 2 && in.BillingMode == nil)) {
		return invalidValue("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	}
	indexes := movesIndexes(in.GlobalSecondaryIndexUpdates)
	switch throughput, stream := in.ProvisionedThroughput != nil, in.StreamSpecification != nil; {
	case stream && throughput:
		return invalidValue("You cannot modify stream status while updating table IOPS")
	case indexes && throughput:
		return indexAndThroughput()
	case indexes && stream:
		return invalidValue("You cannot create or delete index while changing stream status")
	}
	return nil
}

func throughputOnDemand() error {
	return invalidValue("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
}

func indexAndThroughput() error {
	return invalidValue("You cannot create or delete index while updating table IOPS")
}

// updatedTable is t after the update.
func (o *Ops) updatedTable(t *table.Table, in *api.UpdateTableInput) (*table.Table, error) {
	if err := updateBusy(t, in); err != nil {
		return nil, err
	}
	c, err := o.restreamed(t, in.StreamSpecification)
	if err != nil {
		return nil, err
	}
	if err := o.updateSettings(c, in); err != nil {
		return nil, err
	}
	if err := o.updateThroughput(c, t, in); err != nil {
		return nil, err
	}
	if c, err = o.updateIndexes(c, in); err != nil {
		return nil, err
	}
	return c, o.checkQuotas(t, c)
}

// updateBusy refuses what cannot go on beside the change under way. What no partition has to learn of can: it changes nothing about when
// the table is ACTIVE again.
func updateBusy(t *table.Table, in *api.UpdateTableInput) error {
	if t.State != table.Active && t.State != table.Updating {
		return tableBusy(t)
	}
	if err := indexesBusy(t, in.GlobalSecondaryIndexUpdates); err != nil {
		return err
	}
	throughput := in.ProvisionedThroughput != nil || in.BillingMode != nil && billingOf(in.BillingMode) != t.Billing
	if throughput {
		if err := throughputBusy(t); err != nil {
			return err
		}
	}
	if in.StreamSpecification != nil {
		if err := streamBusy(t); err != nil {
			return err
		}
	}
	switch {
	case t.State == table.Active:
		return nil
	case in.DeletionProtectionEnabled != nil, in.SSESpecification != nil, in.WarmThroughput != nil:
		return nil
	case throughput && t.Throughput.Before != nil:
		return api.NewResourceInUseException(inUse + "Table IOPS are currently being updated. Table: " + t.Name)
	}
	return tableBusy(t)
}

// updateSettings changes what is only kept to be described, and the protection against deletion: no partition has to learn of it.
func (o *Ops) updateSettings(t *table.Table, in *api.UpdateTableInput) error {
	if in.SSESpecification != nil {
		wanted, err := encryptionOf(in.SSESpecification)
		if err != nil {
			return err
		}
		switch {
		case !wanted.Enabled && !t.Encryption.Enabled:
			return invalidValue("Table is already encrypted by default")
		case wanted.Key != "" && t.Encryption.Enabled && wanted.Key == *o.encryptionDescription(t.Encryption).KMSMasterKeyArn:
			return invalidValue("Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key")
		}
		t.Encryption = wanted
	}
	if in.TableClass != nil && *in.TableClass != effectiveClass(t) {
		t.Class, t.ClassMillis = *in.TableClass, o.now().UnixMilli()
	}
	if in.DeletionProtectionEnabled != nil {
		t.DeletionProtection = *in.DeletionProtectionEnabled
	}
	if wanted := warmOf(in.WarmThroughput); wanted != (table.Warm{}) {
		if text := t.Warm.CheckGrowth(wanted, "table"); text != "" {
			return api.NewValidationException(text)
		}
		t.Warm = t.Warm.Raised(wanted)
	}
	return nil
}

func effectiveClass(t *table.Table) string {
	if t.Class == "" {
		return api.TableClassStandard
	}
	return t.Class
}
