package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// place is how far a shard was read: the sequence number of the last record, "" before the first one.
type place struct {
	after string
	ended bool
}

// places remembers them in a table, by stream and shard.
type places struct {
	client *dynamodb.Client
	table  string
}

const createWaitMax = time.Minute

// create makes the table, if it is not there.
func (p *places) create(ctx context.Context) error {
	_, err := p.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &p.table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("stream"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("shard"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("stream"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("shard"), KeyType: types.KeyTypeRange},
		},
	})
	var there *types.ResourceInUseException
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("creating table %s: %w", p.table, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(p.client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &p.table}, createWaitMax); err != nil {
		return fmt.Errorf("waiting for table %s: %w", p.table, err)
	}
	return nil
}

// load reads the places of all shards of a stream.
func (p *places) load(ctx context.Context, stream string) (map[string]place, error) {
	known := map[string]place{}
	pages := dynamodb.NewQueryPaginator(p.client, &dynamodb.QueryInput{
		TableName: &p.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("#s = :s"),
		ExpressionAttributeNames:  map[string]string{"#s": "stream"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: stream}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading how far we are: %w", err)
		}
		for _, item := range page.Items {
			shard, _ := item["shard"].(*types.AttributeValueMemberS)
			after, _ := item["after"].(*types.AttributeValueMemberS)
			ended, _ := item["ended"].(*types.AttributeValueMemberBOOL)
			if shard != nil && after != nil && ended != nil {
				known[shard.Value] = place{after: after.Value, ended: ended.Value}
			}
		}
	}
	return known, nil
}

// save writes a shard's place.
func (p *places) save(ctx context.Context, stream, shard string, at place) error {
	_, err := p.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &p.table, Item: map[string]types.AttributeValue{
		"stream": &types.AttributeValueMemberS{Value: stream}, "shard": &types.AttributeValueMemberS{Value: shard},
		"after": &types.AttributeValueMemberS{Value: at.after}, "ended": &types.AttributeValueMemberBOOL{Value: at.ended},
	}})
	if err != nil {
		return fmt.Errorf("saving how far we are: %w", err)
	}
	return nil
}
