package chaos_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"stator/test/sdk"
)

// client is the SDK's client with a test to fail. It never retries: what was not acknowledged may or may not have happened, and the test
// must know.
type client struct {
	*dynamodb.Client
	t *testing.T
}

// settleMax is how long a change of a table, or an index behind it, may take: what a clock that was a minute ahead wrote, other nodes take a
// minute later.
const settleMax = 2 * time.Minute

func connect(s *server) client { return client{t: s.t, Client: sdk.New(s.endpoint)} }

// item is an item as the SDK gives it.
type item = map[string]types.AttributeValue

func str(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func num(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

// attribute describes a key attribute: its name, its type.
func attribute(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
}

// keyed is a key schema of a partition key and perhaps a sort key.
func keyed(names ...string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &names[0], KeyType: types.KeyTypeHash}}
	if len(names) > 1 {
		schema = append(schema, types.KeySchemaElement{AttributeName: &names[1], KeyType: types.KeyTypeRange})
	}
	return schema
}

// table makes a table and waits until it is ACTIVE.
func (c client) table(in *dynamodb.CreateTableInput) {
	c.t.Helper()
	in.BillingMode = types.BillingModePayPerRequest
	if _, err := c.CreateTable(context.Background(), in); err != nil {
		c.t.Fatal(err)
	}
	c.until("table "+*in.TableName+" is ACTIVE", func() bool { return c.describe(*in.TableName).TableStatus == types.TableStatusActive })
}

func (c client) describe(table string) *types.TableDescription {
	c.t.Helper()
	out, err := c.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		c.t.Fatal(err)
	}
	return out.Table
}

// index finds a global index in a description; nil when it is not there.
func index(d *types.TableDescription, name string) *types.GlobalSecondaryIndexDescription {
	for i := range d.GlobalSecondaryIndexes {
		if *d.GlobalSecondaryIndexes[i].IndexName == name {
			return &d.GlobalSecondaryIndexes[i]
		}
	}
	return nil
}

// until waits for a condition that the server comes to by itself.
func (c client) until(what string, holds func() bool) {
	c.t.Helper()
	for end := time.Now().Add(settleMax); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("after %v it is still not so that %s", settleMax, what)
		}
	}
}

// all reads a table, or one of its indexes, page by page. Of a table and of its local indexes it is what was acknowledged last.
func (c client) all(table, index string) []item {
	c.t.Helper()
	in := &dynamodb.ScanInput{TableName: &table}
	if index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = &index
	}
	var found []item
	for {
		page, err := c.Scan(context.Background(), in)
		if err != nil {
			c.t.Fatalf("scanning %s %s: %v", table, index, err)
		}
		found = append(found, page.Items...)
		if page.LastEvaluatedKey == nil {
			return found
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// refused tells whether the server itself said no with this error; other failures leave open what happened.
func refused(err error, code string) bool {
	var said smithy.APIError
	return errors.As(err, &said) && said.ErrorCode() == code
}
