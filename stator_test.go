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
			_, err = c.CreateTable(ctx, &dynamodb.CreateTableInput{
				TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
				AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
				KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			})
			if err != nil {
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
