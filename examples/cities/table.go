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

// The table's key is a place's GeoNames id. Both global indexes are by country: one in the order of population, one by name.
const (
	byPopulation = "by-population"
	byName       = "by-name"
)

type table struct {
	client *dynamodb.Client
	name   string
}

// create makes the table, unless it is there already, and waits until it takes writes.
func (t *table) create(ctx context.Context) error {
	_, err := t.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &t.name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("country"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("population"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("name"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{
				IndexName:  aws.String(byPopulation),
				KeySchema:  indexKey("country", "population"),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			},
			{
				IndexName: aws.String(byName),
				KeySchema: indexKey("country", "name"),
				Projection: &types.Projection{
					ProjectionType:   types.ProjectionTypeInclude,
					NonKeyAttributes: []string{"population"},
				},
			},
		},
	})
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("create table %s: %w", t.name, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(t.client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &t.name}, time.Minute); err != nil {
		return fmt.Errorf("wait for table %s: %w", t.name, err)
	}
	return nil
}

func indexKey(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// indexLagMax is how long the indexes may take to catch up with the table before that is an error.
const indexLagMax = 2 * time.Minute

// awaitIndexes waits until both indexes hold count entries: they follow the table, they are not written with it.
func (t *table) awaitIndexes(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(ctx, indexLagMax)
	defer cancel()
	began := time.Now()
	for _, index := range []string{byPopulation, byName} {
		for {
			n, err := t.countEntries(ctx, index)
			if err != nil {
				return fmt.Errorf("count the entries of index %s: %w", index, err)
			}
			if n == count {
				break
			}
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return fmt.Errorf("index %s holds %d of %d entries after %s", index, n, count, seconds(time.Since(began)))
			}
		}
	}
	fmt.Printf("Both indexes are complete, seen %s after the last write.\n", seconds(time.Since(began)))
	return nil
}

// countEntries counts an index's entries by scanning it.
func (t *table) countEntries(ctx context.Context, index string) (int, error) {
	count := 0
	pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{TableName: &t.name, IndexName: &index, Select: types.SelectCount})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		count += int(page.Count)
	}
	return count, nil
}

// pause waits for d, or less when ctx ends, which is then its error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
