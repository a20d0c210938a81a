package ops

import (
	"slices"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// movesIndexes reports whether indexes are created or deleted.
func movesIndexes(updates []api.GlobalSecondaryIndexUpdate) bool {
	for _, u := range updates {
		if u.Create != nil || u.Delete != nil {
			return true
		}
	}
	return false
}

// createsIndex reports whether an index is created.
func createsIndex(updates []api.GlobalSecondaryIndexUpdate) bool {
	return slices.ContainsFunc(updates, func(u api.GlobalSecondaryIndexUpdate) bool { return u.Create != nil })
}

// warmsIndexes reports whether there are updates, all of warm throughput and of nothing else: the table's own may come with them.
func warmsIndexes(updates []api.GlobalSecondaryIndexUpdate) bool {
	return len(updates) > 0 && !slices.ContainsFunc(updates, func(u api.GlobalSecondaryIndexUpdate) bool {
		return u.Update == nil || u.Update.WarmThroughput == nil || u.Update.ProvisionedThroughput != nil || u.Update.OnDemandThroughput != nil
	})
}

// updatedIndex is the index that an update speaks of, and of how many actions it consists.
func updatedIndex(u *api.GlobalSecondaryIndexUpdate) (name string, actions int) {
	if u.Update != nil {
		name, actions = *u.Update.IndexName, actions+1
	}
	if u.Create != nil {
		name, actions = *u.Create.IndexName, actions+1
	}
	if u.Delete != nil {
		name, actions = *u.Delete.IndexName, actions+1
	}
	return name, actions
}

// checkIndexUpdates makes the checks of index updates that need only the request.
func checkIndexUpdates(in *api.UpdateTableInput) error {
	seen := map[string]bool{}
	moved := 0
	for i := range in.GlobalSecondaryIndexUpdates {
		u := &in.GlobalSecondaryIndexUpdates[i]
		name, actions := updatedIndex(u)
		switch {
		case actions == 0:
			return invalidValue("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, " +
				"GlobalSecondaryIndexUpdate.Delete must not be null")
		case actions > 1:
			return invalidValue("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		case seen[name]:
			return invalidValue("Only one global secondary index update per index is allowed simultaneously. Index: " + name)
		case u.Create != nil && in.AttributeDefinitions == nil:
			return invalidValue("AttributeDefinitions is not specified for index: " + name)
		case u.Update == nil:
			moved++
		}
		seen[name] = true
	}
	if moved > 1 {
		return tooManyIndexes()
	}
	return nil
}

// checkIndexWarmth refuses a warm throughput of an index that names no units, before anything that has to do with the table.
func checkIndexWarmth(updates []api.GlobalSecondaryIndexUpdate) error {
	for i := range updates {
		if u := updates[i].Update; u != nil && u.WarmThroughput != nil && *u.WarmThroughput == (api.WarmThroughput{}) {
			return invalidValue("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: " + *u.IndexName)
		}
	}
	return nil
}

func tooManyIndexes() error {
	return api.NewLimitExceededException(
		"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
}

// updateIndexes performs the index updates on t, a copy that is free to be changed.
func (o *Ops) updateIndexes(t *table.Table, in *api.UpdateTableInput) (*table.Table, error) {
	var err error
	for i := range in.GlobalSecondaryIndexUpdates {
		switch u := &in.GlobalSecondaryIndexUpdates[i]; {
		case u.Create != nil:
			t, err = o.addIndex(t, u.Create, definitionsOf(in.AttributeDefinitions))
		case u.Delete != nil:
			err = removeIndex(t, *u.Delete.IndexName)
		default:
			err = o.updateIndex(t, u.Update)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := checkIndexThroughput(t); err != nil {
		return nil, err
	}
	return t, nil
}

// checkIndexThroughput asks for units of every index of a provisioned table: one that was on-demand until now has none.
func checkIndexThroughput(t *table.Table) error {
	if t.Billing != table.Provisioned {
		return nil
	}
	for i := range t.Global {
		if ix := &t.Global[i]; ix.Throughput.Read == 0 && ix.Status != table.IndexDeleting {
			return invalidValue("ProvisionedThroughput must be specified for index: " + ix.Name)
		}
	}
	return nil
}

// addIndex writes the wish for an index. The catalog gives it an id, and a job its entries.
func (o *Ops) addIndex(t *table.Table, sent *api.CreateGlobalSecondaryIndexAction, definitions table.Definitions) (*table.Table, error) {
	wish := addedWish(sent)
	if _, _, exists := anyIndex(t, wish.Name); exists {
		return nil, api.NewValidationException("Attempting to create an index which already exists")
	}
	if t.Billing == table.OnDemandBilling && wish.Throughput != nil {
		return nil, indexThroughputOnDemand(wish.Name)
	}
	if t.Billing == table.Provisioned && wish.Throughput == nil {
		return nil, indexUnitsMissing(t, wish.Name)
	}
	if text := wish.Check(definitions, t.Billing); text != "" {
		return nil, api.NewValidationException(text)
	}
	if text := t.CheckRedefined(&wish, definitions); text != "" {
		return nil, api.NewValidationException(text)
	}
	if text := t.CheckNonKey(len(wish.Projection.NonKey)); text != "" {
		return nil, api.NewValidationException(text)
	}
	if len(t.Global) >= table.GlobalIndexesMax {
		return nil, api.NewLimitExceededException(
			"Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20")
	}
	if movingIndex(t, "") {
		return nil, tooManyIndexes()
	}
	t = t.WithGlobal(&wish, definitions)
	t.Global[len(t.Global)-1].CreatedMillis = o.now().UnixMilli()
	t.State = table.Updating
	return t, nil
}

// removeIndex marks an index for deletion.
func removeIndex(t *table.Table, name string) error {
	ix, global, exists := anyIndex(t, name)
	switch {
	case !exists:
		return indexMissing(t, name)
	case !global:
		return api.NewValidationException("Cannot delete an index that is not a GlobalSecondaryIndex: " + name)
	case movingIndex(t, name):
		return tooManyIndexes()
	}
	ix.Status, ix.Backfilling = table.IndexDeleting, false
	t.State = table.Updating
	return nil
}

// indexesBusy refuses to change an index on its way out, and to take back one that partitions may still be learning of.
func indexesBusy(t *table.Table, updates []api.GlobalSecondaryIndexUpdate) error {
	for i := range updates {
		name, _ := updatedIndex(&updates[i])
		switch ix, ok := t.GlobalIndex(name); {
		case !ok:
		case ix.Status == table.IndexDeleting:
			return api.NewResourceInUseException(inUse + "Index is being deleted. Table: " + t.Name + " Index: " + name)
		case updates[i].Delete != nil && beingAllocated(ix):
			return api.NewResourceInUseException(inUse + "Index creation is in resource allocation phase. " +
				"Retry deletion during backfilling phase or when the index is active. Table: " + t.Name + " Index: " + name)
		}
	}
	return nil
}

// throughputBusy refuses to change the table's units while an index goes, or while partitions learn of a new one.
func throughputBusy(t *table.Table) error {
	if err := besideIndexes(t, "table IOPS", "created", beingAllocated); err != nil {
		return err
	}
	return besideIndexes(t, "table IOPS", "deleted", func(ix *table.Index) bool { return ix.Status == table.IndexDeleting })
}

// streamBusy refuses to change the stream while partitions learn of units or of an index.
func streamBusy(t *table.Table) error {
	if t.Throughput.Before != nil {
		return api.NewResourceInUseException(inUse + "Can't enable or disable stream while table IOPS are being updated. Table: " + t.Name)
	}
	return besideIndexes(t, "stream status", "created", beingAllocated)
}

// besideIndexes refuses to change what beside the indexes that are being done something to, if there are any.
func besideIndexes(t *table.Table, what, done string, being func(ix *table.Index) bool) error {
	var names []string
	for i := range t.Global {
		if ix := &t.Global[i]; being(ix) {
			names = append(names, ix.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return api.NewResourceInUseException(inUse + "Can't change " + what + " when an index is being " + done + ". Table: " + t.Name +
		" Indexes: [" + strings.Join(names, ", ") + "]")
}

// beingAllocated tells that an index is made of which partitions may still be learning.
func beingAllocated(ix *table.Index) bool { return ix.Status == table.IndexCreating && !ix.Backfilling }

// updateIndex changes the throughput settings of an index.
func (o *Ops) updateIndex(t *table.Table, sent *api.UpdateGlobalSecondaryIndexAction) error {
	name := *sent.IndexName
	ix, global, exists := anyIndex(t, name)
	wanted := throughputOf(sent.ProvisionedThroughput)
	text := wanted.Check(" for index " + name)
	switch {
	case !exists && text != "":
		return api.NewValidationException("This operation cannot be performed with given input values. " +
			"Please contact DynamoDB service team for more info: Action Blocked: IndexUpdate")
	case !exists:
		return indexMissing(t, name)
	case !global:
		return api.NewValidationException("Cannot update an index that is not a GlobalSecondaryIndex: " + name)
	case sent.ProvisionedThroughput == nil && value(sent.OnDemandThroughput) == (api.OnDemandThroughput{}) && sent.WarmThroughput == nil:
		return indexUnitsMissing(t, name)
	case text != "":
		return api.NewValidationException(text)
	}
	if err := updateIndexLimits(t, ix, sent); err != nil || sent.ProvisionedThroughput == nil {
		return err
	}
	if t.Billing == table.OnDemandBilling {
		return indexUpdateOnDemand(name)
	}
	if ix.Throughput.SameUnits(wanted) {
		return sameThroughput("index "+name, "index "+name, ix.Throughput)
	}
	var err error
	if ix.Throughput, err = o.changedThroughput(ix.Throughput, wanted); err != nil {
		return err
	}
	ix.Warm = ix.Warm.Raised(wanted.Warm())
	t.State = table.Updating
	if ix.Status == table.IndexActive {
		ix.Status = table.IndexUpdating
	}
	return nil
}

// indexUnitsMissing is the error of an update that asks for nothing.
func indexUnitsMissing(t *table.Table, name string) error {
	if t.Billing == table.OnDemandBilling {
		return indexUpdateOnDemand(name)
	}
	return invalidValue("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: " + name)
}

func indexUpdateOnDemand(name string) error {
	return invalidValue("The only Updates for index: " + name +
		" when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput")
}

func indexMissing(t *table.Table, name string) error {
	return api.NewResourceNotFoundException("Requested resource not found: Index " + name + " for table " + t.Name)
}

// updateIndexLimits changes what is only kept to be described.
func updateIndexLimits(t *table.Table, ix *table.Index, sent *api.UpdateGlobalSecondaryIndexAction) error {
	limits, warm := onDemandOf(sent.OnDemandThroughput), warmOf(sent.WarmThroughput)
	of := "index " + ix.Name
	err := firstText(limits.WithoutClears().Check(t.Billing, "index : "+ix.Name), warm.Check(of), ix.Warm.CheckGrowth(warm, of))
	if err != nil {
		return err
	}
	ix.OnDemand, ix.Warm = ix.OnDemand.Merged(limits), ix.Warm.Raised(warm)
	return nil
}

func indexThroughputOnDemand(name string) error {
	return invalidValue("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: " + name + " when BillingMode is PAY_PER_REQUEST")
}

// anyIndex finds an index of either kind.
func anyIndex(t *table.Table, name string) (ix *table.Index, global, exists bool) {
	if ix, ok := t.GlobalIndex(name); ok {
		return ix, true, true
	}
	ix, ok := t.LocalIndex(name)
	return ix, false, ok
}

// movingIndex reports whether an index other than except is being created or deleted.
func movingIndex(t *table.Table, except string) bool {
	for i := range t.Global {
		ix := &t.Global[i]
		if ix.Name != except && (ix.Status == table.IndexCreating || ix.Status == table.IndexDeleting) {
			return true
		}
	}
	return false
}
