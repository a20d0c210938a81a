package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	batchItems  = 25 // DynamoDB's own limit for BatchWriteItem
	attemptsMax = 12 // of one batch; the pauses between them add up to about 20 s
	pauseMax    = 5 * time.Second
)

// load writes all cities, concurrency batches at a time. It stops at the first batch that cannot be written.
func (t *table) load(ctx context.Context, cities []city, concurrency int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	bar := newProgress(len(cities))
	batches := make(chan []city)

	var writers sync.WaitGroup
	for range concurrency {
		writers.Go(func() {
			for batch := range batches {
				if err := t.writeBatch(ctx, batch); err != nil {
					cancel(err)
					return
				}
				bar.add(len(batch))
			}
		})
	}
	feed(ctx, batches, cities)
	writers.Wait()

	bar.finish()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("load %s: %w", t.name, err)
	}
	return nil
}

// feed cuts cities into batches until there are no more or nobody takes them.
func feed(ctx context.Context, batches chan<- []city, cities []city) {
	defer close(batches)
	for len(cities) > 0 {
		n := min(batchItems, len(cities))
		select {
		case batches <- cities[:n]:
			cities = cities[n:]
		case <-ctx.Done():
			return
		}
	}
}

// writeBatch writes one batch. What the database leaves unprocessed is sent again after a pause that doubles, with jitter, so that
// writers that were turned away together do not come back together.
func (t *table) writeBatch(ctx context.Context, batch []city) error {
	requests := make([]types.WriteRequest, len(batch))
	for i, c := range batch {
		requests[i].PutRequest = &types.PutRequest{Item: c.item()}
	}
	wait := 20 * time.Millisecond
	for range attemptsMax {
		out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{t.name: requests},
		})
		if err != nil {
			return err
		}
		requests = out.UnprocessedItems[t.name]
		if len(requests) == 0 {
			return nil
		}
		if err := pause(ctx, wait/2+rand.N(wait/2)); err != nil {
			return err
		}
		wait = min(2*wait, pauseMax)
	}
	return errors.New("the database left items of a batch unprocessed too many times")
}
