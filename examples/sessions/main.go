// Command sessions counts up an item at one node of a cluster and reads it eventually from the others, with a session and
// without one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func main() {
	endpoints := flag.String("endpoints", "http://127.0.0.1:8000,http://127.0.0.1:8010,http://127.0.0.1:8020", "where the nodes answer")
	table := flag.String("table", "sessions", "a table to count in; it is made if it is not there")
	rounds := flag.Int("rounds", 1000, "how often to count")
	flag.Parse()

	var nodes []*dynamodb.Client
	for endpoint := range strings.SplitSeq(*endpoints, ",") {
		nodes = append(nodes, dynamodb.New(dynamodb.Options{
			Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		}))
	}
	if err := show(context.Background(), nodes, *table, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "sessions:", err)
		os.Exit(1)
	}
}

// show counts without a session and with one.
func show(ctx context.Context, nodes []*dynamodb.Client, table string, rounds int) error {
	if err := create(ctx, nodes[0], table); err != nil {
		return err
	}
	c := &counter{nodes: nodes, table: table}
	for _, with := range []*session{nil, newSession()} {
		old, err := c.count(ctx, with, rounds)
		if err != nil {
			return err
		}
		name := "without"
		if with != nil {
			name = "with"
		}
		fmt.Printf("%s a session: %d of %d reads were older than the write before them\n", name, old, rounds*len(nodes))
	}
	return nil
}

func create(ctx context.Context, node *dynamodb.Client, table string) error {
	_, err := node.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	var there *types.ResourceInUseException
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("making table %s: %w", table, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(node, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
		return fmt.Errorf("waiting for table %s: %w", table, err)
	}
	return nil
}
