package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/table"
)

// definitionsOf translates attribute definitions, whose types the generated checks have seen to. No definitions are nil.
func definitionsOf(sent []api.AttributeDefinition) table.Definitions {
	definitions := make(table.Definitions, len(sent))
	for i, d := range sent {
		kind, _ := table.KeyType(*d.AttributeType)
		definitions[i] = table.KeyAttribute{Name: *d.AttributeName, Type: kind}
	}
	return definitions
}

func schemaOf(sent []api.KeySchemaElement) []table.Element {
	schema := make([]table.Element, len(sent))
	for i, e := range sent {
		schema[i] = table.Element{Name: *e.AttributeName, Range: *e.KeyType == api.KeyTypeRange}
	}
	return schema
}

func billingOf(mode *string) table.Billing {
	if value(mode) == api.BillingModePayPerRequest {
		return table.OnDemandBilling
	}
	return table.Provisioned
}

// localWishes translates a list of local indexes; one that was sent empty stays so and is not nil.
func localWishes(sent []api.LocalSecondaryIndex) []table.IndexWish {
	if sent == nil {
		return nil
	}
	wishes := make([]table.IndexWish, len(sent))
	for i, ix := range sent {
		wishes[i] = table.IndexWish{Name: *ix.IndexName, Schema: schemaOf(ix.KeySchema), Projection: projectionOf(ix.Projection)}
	}
	return wishes
}

// globalWishes translates a list of global indexes; one that was sent empty stays so and is not nil.
func globalWishes(sent []api.GlobalSecondaryIndex) []table.IndexWish {
	if sent == nil {
		return nil
	}
	wishes := make([]table.IndexWish, len(sent))
	for i, ix := range sent {
		wishes[i] = table.IndexWish{
			Name: *ix.IndexName, Schema: schemaOf(ix.KeySchema), Projection: projectionOf(ix.Projection),
			Throughput: sentThroughput(ix.ProvisionedThroughput), OnDemand: onDemandOf(ix.OnDemandThroughput), Warm: warmOf(ix.WarmThroughput),
		}
	}
	return wishes
}

// addedWish translates a global index that an UpdateTable adds.
func addedWish(ix *api.CreateGlobalSecondaryIndexAction) table.IndexWish {
	return table.IndexWish{
		Name: *ix.IndexName, Schema: schemaOf(ix.KeySchema), Projection: projectionOf(ix.Projection),
		Throughput: sentThroughput(ix.ProvisionedThroughput), OnDemand: onDemandOf(ix.OnDemandThroughput), Warm: warmOf(ix.WarmThroughput),
	}
}

// projectionOf keeps a missing type as kind zero, and a missing list as nil.
func projectionOf(sent *api.Projection) table.Projection {
	if sent == nil {
		return table.Projection{}
	}
	p := table.Projection{NonKey: sent.NonKeyAttributes}
	switch value(sent.ProjectionType) {
	case api.ProjectionTypeAll:
		p.Kind = table.All
	case api.ProjectionTypeInclude:
		p.Kind = table.Include
	case api.ProjectionTypeKeysOnly:
		p.Kind = table.KeysOnly
	}
	return p
}

// throughputOf is zero when nothing was sent.
func throughputOf(sent *api.ProvisionedThroughput) table.Throughput {
	if sent == nil {
		return table.Throughput{}
	}
	return table.Throughput{Read: value(sent.ReadCapacityUnits), Write: value(sent.WriteCapacityUnits)}
}

func sentThroughput(sent *api.ProvisionedThroughput) *table.Throughput {
	if sent == nil {
		return nil
	}
	t := throughputOf(sent)
	return &t
}

func onDemandOf(sent *api.OnDemandThroughput) table.OnDemandWish {
	if sent == nil {
		return table.OnDemandWish{}
	}
	return table.OnDemandWish{Read: sent.MaxReadRequestUnits, Write: sent.MaxWriteRequestUnits}
}

func warmOf(sent *api.WarmThroughput) table.Warm {
	if sent == nil {
		return table.Warm{}
	}
	return table.Warm{Read: warmUnits(sent.ReadUnitsPerSecond), Write: warmUnits(sent.WriteUnitsPerSecond)}
}

func warmUnits(sent *int64) int64 {
	if sent != nil && *sent == 0 {
		return -1
	}
	return value(sent)
}

// encryptionOf checks a server-side encryption setting (errors.json sse-enabled-false). A type alone enables it.
func encryptionOf(sent *api.SSESpecification) (table.Encryption, error) {
	if sent == nil {
		return table.Encryption{}, nil
	}
	if sent.KMSMasterKeyId != nil && *sent.KMSMasterKeyId == "" {
		return table.Encryption{}, api.NewValidationException("1 validation error detected: Value '' at 'sSESpecification.kMSMasterKeyId' " +
			"failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	enabled := value(sent.Enabled) || sent.Enabled == nil && sent.SSEType != nil
	switch {
	case !enabled && sent.SSEType != nil:
		return table.Encryption{}, invalidValue("SSEType can not be specified if Enabled is false")
	case !enabled && sent.KMSMasterKeyId != nil:
		return table.Encryption{}, invalidValue("KMSMasterKeyId can not be specified if Enabled is false")
	case value(sent.SSEType) == api.SSETypeAes256:
		return table.Encryption{}, invalidValue("SSEType AES256 is not supported")
	case sent.KMSMasterKeyId != nil && sent.SSEType == nil:
		return table.Encryption{}, invalidValue("SSEType KMS is required if KMSMasterKeyId is specified")
	default:
		return table.Encryption{Enabled: enabled, Key: value(sent.KMSMasterKeyId)}, nil
	}
}
