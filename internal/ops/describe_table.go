package ops

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// DescribeTable describes a table in any state, with live counts.
func (o *Ops) DescribeTable(ctx context.Context, in *api.DescribeTableInput) (*api.DescribeTableOutput, error) {
	name := o.tableName(*in.TableName)
	t, err := o.current(ctx, name)
	if err != nil {
		return nil, err
	}
	described, err := o.describe(ctx, t)
	if err != nil {
		return nil, err
	}
	return &api.DescribeTableOutput{Table: described}, nil
}

// describe is a table's description with what it holds now.
func (o *Ops) describe(ctx context.Context, t *table.Table) (*api.TableDescription, error) {
	held, err := o.catalog.Stats(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("counting the items of table %s: %w", t.Name, err)
	}
	return o.tableDescription(t, held), nil
}

// tableDescription is t in the shape of the service (semantics §17.2).
func (o *Ops) tableDescription(t *table.Table, held table.Statistics) *api.TableDescription {
	d := &api.TableDescription{
		TableName: &t.Name, TableStatus: ref(t.State.String()), TableArn: ref(o.tableARN(t)), TableId: &t.UUID,
		CreationDateTime:          seconds(t.CreatedMillis),
		AttributeDefinitions:      definitionList(t.Definitions),
		KeySchema:                 keySchema(t.Key),
		ProvisionedThroughput:     throughputDescription(t.Throughput, o.now()),
		ItemCount:                 &held.Items,
		TableSizeBytes:            &held.Bytes,
		DeletionProtectionEnabled: &t.DeletionProtection,
		BillingModeSummary:        billingSummary(t),
		TableClassSummary:         classSummary(t),
		SSEDescription:            o.encryptionDescription(t.Encryption),
		OnDemandThroughput:        onDemandDescription(t.OnDemand),
		WarmThroughput: &api.TableWarmThroughputDescription{
			ReadUnitsPerSecond: &t.Warm.Read, WriteUnitsPerSecond: &t.Warm.Write, Status: ref(warmStatus(t.State == table.Creating)),
		},
	}
	o.describeStream(d, t)
	for i := range t.Local {
		d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, o.localDescription(t, &t.Local[i], held))
	}
	for i := range t.Global {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, o.globalDescription(t, &t.Global[i], held))
	}
	return d
}

func (o *Ops) localDescription(t *table.Table, ix *table.Index, held table.Statistics) api.LocalSecondaryIndexDescription {
	count := held.Indexes[ix.Name]
	return api.LocalSecondaryIndexDescription{
		IndexName: &ix.Name, IndexArn: ref(o.indexARN(t, ix)), KeySchema: keySchema(ix.Key), Projection: projection(ix.Projection),
		ItemCount: &count.Items, IndexSizeBytes: &count.Bytes,
	}
}

// globalDescription shows Backfilling only while an index added to a table is being created: false until the entries of older items are
// being written, then true (semantics §7.5).
func (o *Ops) globalDescription(t *table.Table, ix *table.Index, held table.Statistics) api.GlobalSecondaryIndexDescription {
	count := held.Indexes[ix.Name]
	d := api.GlobalSecondaryIndexDescription{
		IndexName: &ix.Name, IndexArn: ref(o.indexARN(t, ix)), KeySchema: keySchema(ix.Key), Projection: projection(ix.Projection),
		IndexStatus: ref(ix.Status.String()), ItemCount: &count.Items, IndexSizeBytes: &count.Bytes,
		ProvisionedThroughput: throughputDescription(ix.Throughput, o.now()),
		OnDemandThroughput:    onDemandDescription(ix.OnDemand),
		WarmThroughput: &api.GlobalSecondaryIndexWarmThroughputDescription{
			ReadUnitsPerSecond: &ix.Warm.Read, WriteUnitsPerSecond: &ix.Warm.Write, Status: ref(warmStatus(ix.Status == table.IndexCreating)),
		},
	}
	if ix.Added && ix.Status == table.IndexCreating {
		d.Backfilling = &ix.Backfilling
	}
	return d
}

// definitionList is in the order of names, whatever the order of declaration.
func definitionList(definitions []table.KeyAttribute) []api.AttributeDefinition {
	sent := make([]api.AttributeDefinition, len(definitions))
	for i, d := range definitions {
		sent[i] = api.AttributeDefinition{AttributeName: ref(d.Name), AttributeType: ref(d.Type.String())}
	}
	slices.SortFunc(sent, func(a, b api.AttributeDefinition) int { return strings.Compare(*a.AttributeName, *b.AttributeName) })
	return sent
}

func keySchema(k table.Key) []api.KeySchemaElement {
	schema := make([]api.KeySchemaElement, 0, k.Len())
	for _, a := range k.Hash {
		schema = append(schema, api.KeySchemaElement{AttributeName: ref(a.Name), KeyType: ref(api.KeyTypeHash)})
	}
	for _, a := range k.Range {
		schema = append(schema, api.KeySchemaElement{AttributeName: ref(a.Name), KeyType: ref(api.KeyTypeRange)})
	}
	return schema
}

func projection(p table.Projection) *api.Projection {
	return &api.Projection{ProjectionType: ref(p.Kind.String()), NonKeyAttributes: p.NonKey}
}

// throughputDescription counts only today's decreases. A day is a day in UTC. When a change was made is told before it is over.
func throughputDescription(t table.Throughput, now time.Time) *api.ProvisionedThroughputDescription {
	shown := t.Described()
	d := &api.ProvisionedThroughputDescription{
		ReadCapacityUnits: &shown.Read, WriteCapacityUnits: &shown.Write, NumberOfDecreasesToday: ref(shown.DecreasesToday(now)),
	}
	if t.IncreasedMillis != 0 {
		d.LastIncreaseDateTime = seconds(t.IncreasedMillis)
	}
	if t.DecreasedMillis != 0 {
		d.LastDecreaseDateTime = seconds(t.DecreasedMillis)
	}
	return d
}

// billingSummary is there for tables that are on-demand, or were once.
func billingSummary(t *table.Table) *api.BillingModeSummary {
	if t.BillingMillis == 0 {
		return nil
	}
	return &api.BillingModeSummary{
		BillingMode: ref(t.Billing.String()), LastUpdateToPayPerRequestDateTime: seconds(t.BillingMillis),
	}
}

func classSummary(t *table.Table) *api.TableClassSummary {
	if t.Class == "" {
		return nil
	}
	s := &api.TableClassSummary{TableClass: &t.Class}
	if t.ClassMillis != 0 {
		s.LastUpdateDateTime = seconds(t.ClassMillis)
	}
	return s
}

// encryptionDescription is absent for the key that the service owns.
func (o *Ops) encryptionDescription(e table.Encryption) *api.SSEDescription {
	if !e.Enabled {
		return nil
	}
	key := e.Key
	switch {
	case key == "" || key == managedAlias:
		key = o.kmsARN("key/" + o.managedKey())
	case strings.HasPrefix(key, "alias/"):
		key = o.kmsARN(key)
	case !strings.HasPrefix(key, "arn:"):
		key = o.kmsARN("key/" + key)
	}
	return &api.SSEDescription{Status: ref(api.SSEStatusEnabled), SSEType: ref(api.SSETypeKms), KMSMasterKeyArn: &key}
}

// managedAlias names the key that the service would manage for the account.
const managedAlias = "alias/aws/dynamodb"

// managedKey is the id of the key that the service would manage for the account, always the same.
func (o *Ops) managedKey() string {
	sum := sha256.Sum256([]byte(o.kmsARN(managedAlias)))
	return uuidOf([16]byte(sum[:16]))
}

func (o *Ops) kmsARN(resource string) string {
	return "arn:aws:kms:" + o.account.Region + ":" + o.account.Number + ":" + resource
}

func onDemandDescription(d table.OnDemand) *api.OnDemandThroughput {
	if d == (table.OnDemand{}) {
		return nil
	}
	return &api.OnDemandThroughput{MaxReadRequestUnits: onDemandUnits(d.Read), MaxWriteRequestUnits: onDemandUnits(d.Write)}
}

// onDemandUnits leaves out a member without a bound.
func onDemandUnits(units int64) *int64 {
	if units == 0 {
		return nil
	}
	return &units
}

func warmStatus(creating bool) string {
	if creating {
		return api.TableStatusCreating
	}
	return api.TableStatusActive
}

// seconds is a moment in the API's epoch seconds.
func seconds(millis int64) *float64 { return ref(float64(millis) / 1000) }

func ref[T any](v T) *T { return &v }
