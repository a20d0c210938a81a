package ops

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/policy"
	"stator/internal/model/table"
)

// CreateTable stores a new table's description in state CREATING. A job brings its partitions to life and then makes it ACTIVE.
func (o *Ops) CreateTable(ctx context.Context, in *api.CreateTableInput) (*api.CreateTableOutput, error) {
	wanted, err := o.wantedTable(in)
	if err != nil {
		return nil, err
	}
	wanted.UUID, err = newUUID(o.account.Random)
	if err != nil {
		return nil, fmt.Errorf("making a table's id: %w", err)
	}
	t, err := o.catalog.CreateBeside(ctx, wanted, o.partitionsOf(wanted), func() error { return o.checkQuotas(&table.Table{}, wanted) })
	refused, ok := errors.AsType[*api.Error](err)
	switch {
	case ok:
		return nil, refused
	case errors.Is(err, catalog.ErrExists):
		return nil, o.nameTaken(wanted.Name)
	case err != nil:
		return nil, fmt.Errorf("creating table %s: %w", wanted.Name, err)
	}
	o.reportNoEffect(&table.Table{}, t)
	o.catalog.Await(ctx, t)
	return &api.CreateTableOutput{TableDescription: o.createdDescription(t, in)}, nil
}

// nameTaken refuses a name that another table has. One that is being created itself is told of in other words.
func (o *Ops) nameTaken(name string) error {
	if t, ok := o.catalog.Table(name); ok && t.State == table.Creating {
		return tableBusy(t)
	}
	return api.NewResourceInUseException("Table already exists: " + name)
}

// createdDescription is a new table's description as CreateTable answers it: warm throughput is there only where it was asked for, and is
// still being reached; since when the table is on-demand is not there yet.
func (o *Ops) createdDescription(t *table.Table, in *api.CreateTableInput) *api.TableDescription {
	d := o.tableDescription(t, table.Statistics{})
	if d.BillingModeSummary != nil {
		d.BillingModeSummary.LastUpdateToPayPerRequestDateTime = nil
	}
	if d.WarmThroughput.Status = ref(api.TableStatusUpdating); in.WarmThroughput == nil {
		d.WarmThroughput = nil
	}
	for i := range d.GlobalSecondaryIndexes {
		ix := &d.GlobalSecondaryIndexes[i]
		ix.WarmThroughput.Status = ref(api.IndexStatusUpdating)
		if !slices.ContainsFunc(in.GlobalSecondaryIndexes, func(sent api.GlobalSecondaryIndex) bool {
			return *sent.IndexName == *ix.IndexName && sent.WarmThroughput != nil
		}) {
			ix.WarmThroughput = nil
		}
	}
	return d
}

// wantedTable checks a request in DynamoDB's order (semantics §16 CreateTable) and makes the table it asks for.
func (o *Ops) wantedTable(in *api.CreateTableInput) (*table.Table, error) {
	if err := checkCreateMembers(in); err != nil {
		return nil, err
	}
	wish := table.Wish{
		Definitions: definitionsOf(in.AttributeDefinitions), Schema: schemaOf(in.KeySchema), Billing: billingOf(in.BillingMode),
		Local: localWishes(in.LocalSecondaryIndexes), Global: globalWishes(in.GlobalSecondaryIndexes),
	}
	if err := checkCreateThroughput(in, wish.Billing); err != nil {
		return nil, err
	}
	t, text := wish.Table()
	if text != "" {
		return nil, api.NewValidationException(text)
	}
	var err error
	if t.Encryption, err = encryptionOf(in.SSESpecification); err != nil {
		return nil, err
	}
	if t.Tags, err = mergedTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if err := checkCreateFeatures(in); err != nil {
		return nil, err
	}
	if t.Name = o.tableName(*in.TableName); !tableNameText.MatchString(t.Name) {
		return nil, wrongResource(*in.TableName)
	}
	o.settle(t, in)
	if t, err = o.streamed(t, in.StreamSpecification); err != nil || in.ResourcePolicy == nil {
		return t, err
	}
	text, err = keptPolicy(policy.OfTable, *in.ResourcePolicy)
	return t.WithPolicy("", text, t.CreatedMillis), err
}

// tableNameText is what a table may be called. The generated checks hold plain names to it; here it is for the name inside an ARN, and
// refuses the ARN of another region or account.
var tableNameText = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// settle fills in what needs no more checks.
func (o *Ops) settle(t *table.Table, in *api.CreateTableInput) {
	t.State, t.CreatedMillis = table.Creating, o.now().UnixMilli()
	t.Throughput = throughputOf(in.ProvisionedThroughput)
	t.OnDemand = table.OnDemand{}.Merged(onDemandOf(in.OnDemandThroughput))
	t.Warm = warmOf(in.WarmThroughput).Raised(t.Throughput.Warm())
	if t.Billing == table.OnDemandBilling {
		t.BillingMillis = t.CreatedMillis
		t.Warm = t.Warm.Raised(table.WarmOnDemand)
	}
	t.Class = value(in.TableClass)
	t.DeletionProtection = value(in.DeletionProtectionEnabled)
	for i := range t.Global {
		t.Global[i].CreatedMillis = t.CreatedMillis
	}
}

// checkCreateMembers asks for the members that only a table made out of another one's replica may lack.
func checkCreateMembers(in *api.CreateTableInput) error {
	if in.GlobalTableSourceArn != nil || in.GlobalTableSettingsReplicationMode != nil {
		return refusedGlobalTables.refusal()
	}
	const null = " failed to satisfy constraint: Member must not be null"
	switch {
	case in.AttributeDefinitions == nil && in.KeySchema == nil:
		return api.NewValidationException("2 validation errors detected: Value null at 'attributeDefinitions'" + null + "; Value null at 'keySchema'" + null)
	case in.AttributeDefinitions == nil:
		return api.NewValidationException(envelope + "Value null at 'attributeDefinitions'" + null)
	case in.KeySchema == nil:
		return api.NewValidationException(envelope + "Value null at 'keySchema'" + null)
	}
	return nil
}

func checkCreateThroughput(in *api.CreateTableInput, billing table.Billing) error {
	if billing == table.OnDemandBilling && in.ProvisionedThroughput != nil {
		return throughputOnDemand()
	}
	if billing == table.Provisioned && in.ProvisionedThroughput == nil {
		return invalidValue("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return firstText(
		throughputOf(in.ProvisionedThroughput).Check(""),
		onDemandOf(in.OnDemandThroughput).CheckInitial(billing, ""),
		warmOf(in.WarmThroughput).CheckInitial(billing, throughputOf(in.ProvisionedThroughput), "table"),
	)
}

// checkCreateFeatures refuses what later releases will do. It comes last, so that a request that DynamoDB would refuse is refused in
// DynamoDB's words.
func checkCreateFeatures(in *api.CreateTableInput) error {
	if err := checkCreateStream(in.StreamSpecification); err != nil {
		return err
	}
	return checkSupported(sentMember{refusedVectors, in.VectorIndexes != nil})
}

// partitionsOf is how many partitions t, and each of its global indexes, starts with: as many as all that is warm needs from its first second on,
// which are the four that DynamoDB begins with if no more was asked for on demand. A provisioned table has as many as its units need one beside
// the other (semantics §18.4).
func (o *Ops) partitionsOf(t *table.Table) int {
	if o.account.Partitions > 0 {
		return o.account.Partitions
	}
	warm := t.Warm
	for i := range t.Global {
		warm = warm.Raised(t.Global[i].Warm)
	}
	needed := int64(capacity.PartitionsOf(warm))
	if t.Billing == table.Provisioned {
		needed = max(needed, (t.Throughput.Read+3*t.Throughput.Write+2999)/3000)
	}
	return int(min(needed, capacity.PartitionsMax))
}

// newUUID is a random UUID, version 4.
func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return uuidOf(b), nil
}

// uuidOf is the UUID that b's bits stand for, but for those that say which kind of UUID it is.
func uuidOf(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
