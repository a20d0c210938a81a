// Command tail prints the changes of a table as they are made, and goes on where it stopped when it is started again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func main() {
	endpoint := flag.String("endpoint", "http://127.0.0.1:8000", "where the database answers")
	table := flag.String("table", "cities", "the table to follow; it needs a stream")
	places := flag.String("places", "tail-places", "the table that remembers how far we are; it is made if it is not there")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := follow(ctx, *endpoint, *table, *places)
	stop()
	if !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "tail:", err)
		os.Exit(1)
	}
}

// follow prints the changes of a table until ctx ends, which is an error like any other that ends it.
func follow(ctx context.Context, endpoint, table, placesTable string) error {
	anyone := credentials.NewStaticCredentialsProvider("local", "local", "")
	db := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: anyone})
	arn, err := streamOf(ctx, db, table)
	if err != nil {
		return err
	}
	places := &places{client: db, table: placesTable}
	if err := places.create(ctx); err != nil {
		return err
	}
	t := &tail{
		streams: dynamodbstreams.New(dynamodbstreams.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: anyone}),
		arn:     arn, places: places, page: pageRecords, show: printRecord,
	}
	return t.run(ctx)
}

func streamOf(ctx context.Context, db *dynamodb.Client, table string) (string, error) {
	out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return "", fmt.Errorf("looking for the stream of table %s: %w", table, err)
	}
	if out.Table.LatestStreamArn == nil {
		return "", fmt.Errorf("table %s has no stream: aws dynamodb update-table --table-name %s "+
			"--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES", table, table)
	}
	return *out.Table.LatestStreamArn, nil
}

// printRecord prints a change in a line.
func printRecord(r types.Record) error {
	_, err := fmt.Println(r.EventName, text(r.Dynamodb.Keys), "was", text(r.Dynamodb.OldImage), "is", text(r.Dynamodb.NewImage))
	return err
}

// text writes an item's attributes on one line.
func text(item map[string]types.AttributeValue) string {
	if item == nil {
		return "-"
	}
	parts := map[string]any{}
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			parts[name] = v.Value
		case *types.AttributeValueMemberN:
			parts[name] = v.Value
		default:
			parts[name] = fmt.Sprintf("%T", v)
		}
	}
	return fmt.Sprint(parts)
}
