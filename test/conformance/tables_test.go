package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestTableDescription(t *testing.T) {
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "other", "N")
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: key("pk", "other"), Projection: projectAll()}}
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: aws.String("global"), KeySchema: key("other"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"extra"}},
		}}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	})
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(t, err)
	table := out.Table
	wantText(t, "name", *table.TableName, name)
	wantText(t, "status", string(table.TableStatus), "ACTIVE")
	wantText(t, "billing mode", string(table.BillingModeSummary.BillingMode), "PAY_PER_REQUEST")
	if !strings.HasPrefix(*table.TableArn, "arn:aws:dynamodb:") || !strings.HasSuffix(*table.TableArn, ":table/"+name) {
		t.Errorf("ARN %s", *table.TableArn)
	}
	if len(*table.TableId) != 36 || table.CreationDateTime.IsZero() {
		t.Errorf("id %q, created %v", *table.TableId, table.CreationDateTime)
	}
	if len(table.KeySchema) != 2 || *table.KeySchema[0].AttributeName != "pk" || table.KeySchema[1].KeyType != types.KeyTypeRange {
		t.Errorf("key schema %+v", table.KeySchema)
	}
	if len(table.AttributeDefinitions) != 3 {
		t.Errorf("definitions %+v", table.AttributeDefinitions)
	}
	if len(table.LocalSecondaryIndexes) != 1 || *table.LocalSecondaryIndexes[0].IndexName != "local" {
		t.Errorf("local indexes %+v", table.LocalSecondaryIndexes)
	}
	if len(table.GlobalSecondaryIndexes) != 1 {
		t.Fatalf("global indexes %+v", table.GlobalSecondaryIndexes)
	}
	global := table.GlobalSecondaryIndexes[0]
	wantText(t, "index projection", strings.Join(global.Projection.NonKeyAttributes, " "), "extra")
	wantText(t, "index ARN", *global.IndexArn, *table.TableArn+"/index/global")

	tags, err := c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.TableArn})
	check(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "team" {
		t.Errorf("tags %+v", tags.Tags)
	}

	// An ARN names a table wherever its name does.
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table.TableArn, Item: keyOf("a", "1")})
	check(t, err)
	wantItem(t, c.get(name, keyOf("a", "1")), keyOf("a", "1"))
}

func TestCreateTableErrors(t *testing.T) {
	c := connect(t)
	name := c.table(nil)
	throughput := &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
	for _, test := range []struct {
		what   string
		change func(*dynamodb.CreateTableInput)
		want   string
		phrase string
	}{
		{"a name in use", func(in *dynamodb.CreateTableInput) { in.TableName = &name }, "ResourceInUseException", "Table already exists: " + name},
		{"a short name", func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "ValidationException", "Member must have length greater than or equal to 3"},
		{"a bad name", func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a b c") }, "ValidationException", "[a-zA-Z0-9_.-]+"},
		{"no definition of a key", func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = define("pk", "S") }, "ValidationException", ""},
		{"an unused definition", func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = define("pk", "S", "sk", "S", "x", "S") }, "ValidationException", ""},
		{"two partition keys", func(in *dynamodb.CreateTableInput) { in.KeySchema[1].KeyType = types.KeyTypeHash }, "ValidationException", ""},
		{"a key type that is no key type", func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = define("pk", "S", "sk", "BOOL") }, "ValidationException", "enum value set"},
		{"throughput on demand", func(in *dynamodb.CreateTableInput) { in.ProvisionedThroughput = throughput }, "ValidationException", "PAY_PER_REQUEST"},
		{"no throughput provisioned", func(in *dynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned }, "ValidationException", ""},
		{"two indexes of one name", func(in *dynamodb.CreateTableInput) {
			index := types.GlobalSecondaryIndex{IndexName: aws.String("global"), KeySchema: key("sk"), Projection: projectAll()}
			in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{index, index}
		}, "ValidationException", "Duplicate index name: global"},
		{"a local index with another partition key", func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: key("sk", "pk"), Projection: projectAll()}}
		}, "ValidationException", ""},
	} {
		in := &dynamodb.CreateTableInput{
			TableName: aws.String(uniqueName()), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: define("pk", "S", "sk", "S"), KeySchema: key("pk", "sk"),
		}
		test.change(in)
		_, err := c.CreateTable(ctx, in)
		t.Run(test.what, func(t *testing.T) { wantError(t, err, test.want, test.phrase) })
	}
}

func TestDeletedTableIsGone(t *testing.T) {
	c := connect(t)
	name := c.table(nil)
	c.put(name, keyOf("a", "1"))
	out, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	check(t, err)
	wantText(t, "status", string(out.TableDescription.TableStatus), "DELETING")
	c.eventually("the table is gone", func() bool {
		_, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		return err != nil
	})
	_, err = c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: "+name+" not found")
	_, err = c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: keyOf("a", "1")})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found")

	// A table of the same name starts empty.
	again := c.table(func(in *dynamodb.CreateTableInput) { in.TableName = &name })
	wantItem(t, c.get(again, keyOf("a", "1")), nil)
}

func TestDeletionProtection(t *testing.T) {
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) { in.DeletionProtectionEnabled = aws.Bool(true) })
	_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	wantError(t, err, "ValidationException", "Resource cannot be deleted as it is currently protected against deletion")
	_, err = c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)})
	check(t, err)
	c.awaitActive(name)
}

func TestListTablesPages(t *testing.T) {
	c := connect(t)
	made := []string{c.table(nil), c.table(nil), c.table(nil)}
	var seen []string
	pages := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		check(t, err)
		if len(page.TableNames) > 2 {
			t.Fatalf("a page of %d names, 2 at most", len(page.TableNames))
		}
		seen = append(seen, page.TableNames...)
	}
	for _, name := range made {
		if !slices.Contains(seen, name) {
			t.Errorf("%s is not listed", name)
		}
	}
	if !slices.IsSorted(seen) {
		t.Errorf("not in order: %v", seen)
	}
}

func TestUpdateTableThroughput(t *testing.T) {
	c := connect(t)
	units := func(read, write int64) *types.ProvisionedThroughput {
		return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
	}
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, units(5, 5)
	})
	_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, ProvisionedThroughput: units(7, 6)})
	check(t, err)
	c.awaitActive(name)
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(t, err)
	if got := out.Table.ProvisionedThroughput; *got.ReadCapacityUnits != 7 || *got.WriteCapacityUnits != 6 {
		t.Errorf("%d and %d units, want 7 and 6", *got.ReadCapacityUnits, *got.WriteCapacityUnits)
	}
	_, err = c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, ProvisionedThroughput: units(7, 6)})
	wantError(t, err, "ValidationException", "The provisioned throughput for the table will not change")
}

func TestWarmThroughputOfATableAndItsIndexes(t *testing.T) {
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{IndexName: aws.String("byg"), KeySchema: key("g"), Projection: projectAll()}}
	})
	warm := func(read, write int64) *types.WarmThroughput {
		return &types.WarmThroughput{ReadUnitsPerSecond: &read, WriteUnitsPerSecond: &write}
	}
	index := types.UpdateGlobalSecondaryIndexAction{IndexName: aws.String("byg"), WarmThroughput: warm(12_002, 4_002)}
	change := func() error {
		_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName: &name, WarmThroughput: warm(12_001, 4_001),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Update: &index}},
		})
		return err
	}
	check(t, change())
	c.awaitActive(name)
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(t, err)
	ofTable, ofIndex := out.Table.WarmThroughput, out.Table.GlobalSecondaryIndexes[0].WarmThroughput
	if *ofTable.ReadUnitsPerSecond != 12_001 || *ofTable.WriteUnitsPerSecond != 4_001 {
		t.Errorf("the table is warm for %d reads and %d writes", *ofTable.ReadUnitsPerSecond, *ofTable.WriteUnitsPerSecond)
	}
	if *ofIndex.ReadUnitsPerSecond != 12_002 || *ofIndex.WriteUnitsPerSecond != 4_002 {
		t.Errorf("the index is warm for %d reads and %d writes", *ofIndex.ReadUnitsPerSecond, *ofIndex.WriteUnitsPerSecond)
	}

	index.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(20_000)}
	wantError(t, change(), "ValidationException", "WarmThroughput must be the only operation in the request")
}

func TestTags(t *testing.T) {
	c := connect(t)
	name := c.table(func(in *dynamodb.CreateTableInput) {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly}
	})
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	check(t, err)
	tags := func(arn *string) string {
		t.Helper()
		out, err := c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
		check(t, err)
		var pairs []string
		for _, tag := range out.Tags {
			pairs = append(pairs, *tag.Key+"="+*tag.Value)
		}
		slices.Sort(pairs)
		return strings.Join(pairs, " ")
	}
	// A table and its stream have tags of their own.
	for _, of := range []struct {
		arn, other *string
		value      string
	}{
		{out.Table.TableArn, out.Table.LatestStreamArn, "t"},
		{out.Table.LatestStreamArn, out.Table.TableArn, "s"},
	} {
		before := tags(of.other)
		_, err = c.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: of.arn, Tags: []types.Tag{
			{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: &of.value},
		}})
		check(t, err)
		c.eventually("two tags", func() bool { return tags(of.arn) == "a=1 b="+of.value })
		_, err = c.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: of.arn, TagKeys: []string{"a"}})
		check(t, err)
		c.eventually("one tag", func() bool { return tags(of.arn) == "b="+of.value })
		if now := tags(of.other); now != before {
			t.Errorf("the tags of %s became %q", *of.other, now)
		}
	}

	_, err = c.TagResource(ctx, &dynamodb.TagResourceInput{
		ResourceArn: aws.String(*out.Table.TableArn + "/stream/2020-01-01T00:00:00.000"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: ResourceArn: ")
}

func TestDescribeLimits(t *testing.T) {
	c := connect(t)
	out, err := c.DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{})
	check(t, err)
	if aws.ToInt64(out.TableMaxReadCapacityUnits) <= 0 || aws.ToInt64(out.AccountMaxWriteCapacityUnits) <= 0 {
		t.Errorf("limits %+v", out)
	}
}
