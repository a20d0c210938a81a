package stator_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator"
)

// client is the SDK's own client over an embedded database.
func client(db *stator.DB) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://stator.internal"), HTTPClient: db.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// What was written before Close is there after the next Open.
func TestEmbeddedDatabaseKeepsWhatWasWritten(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}}
	for round := range 2 {
		db, err := stator.Open(ctx, stator.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		c := client(db)
		if round == 0 {
			if err := createThings(c); err != nil {
				t.Fatal(err)
			}
			waitActive(t, c, "things")
			if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("things"), Item: key}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("things"), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Item) != 1 {
			t.Fatalf("round %d: item %v, want the one written", round, got.Item)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What was asked of a table is done when the answer is there: a client that finds it on its way may look again only after 20 s.
func TestTablesAreMadeChangedAndDeletedAtOnce(t *testing.T) {
	ctx := t.Context()
	db, err := stator.Open(ctx, stator.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, name := client(db), aws.String("things")
	for range 20 {
		if err := createThings(c); err != nil {
			t.Fatal(err)
		}
		_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: name, StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly,
		}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name})
		if err != nil || out.Table.TableStatus != types.TableStatusActive {
			t.Fatalf("%v, %v after an update", out, err)
		}
		if _, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: name}); err != nil {
			t.Fatal(err)
		}
	}
}

func createThings(c *dynamodb.Client) error {
	_, err := c.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	return err
}

func waitActive(t *testing.T, c *dynamodb.Client, name string) {
	t.Helper()
	for range 1000 {
		out, err := c.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		if out.Table.TableStatus == types.TableStatusActive {
			return
		}
	}
	t.Fatalf("table %s does not become active", name)
}
