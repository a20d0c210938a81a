package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// counter is an item that goes up by one with each round.
type counter struct {
	nodes []*dynamodb.Client
	table string
}

// count writes each number at one node after the other and reads it from all of them at once, eventually, in a session if
// there is one. It tells how many of the reads were old.
func (c *counter) count(ctx context.Context, with *session, rounds int) (old int, err error) {
	var options []func(*dynamodb.Options)
	if with != nil {
		options = append(options, with.of)
	}
	for i := range rounds {
		number := strconv.Itoa(i)
		_, err := c.nodes[i%len(c.nodes)].PutItem(ctx, &dynamodb.PutItemInput{TableName: &c.table, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "counter"}, "n": &types.AttributeValueMemberN{Value: number},
		}}, options...)
		if err != nil {
			return old, fmt.Errorf("writing %s: %w", number, err)
		}
		for _, node := range c.nodes {
			out, err := node.GetItem(ctx, &dynamodb.GetItemInput{
				TableName: &c.table, ConsistentRead: aws.Bool(false),
				Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "counter"}},
			}, options...)
			if err != nil {
				return old, fmt.Errorf("reading %s: %w", number, err)
			}
			if n, ok := out.Item["n"].(*types.AttributeValueMemberN); !ok || n.Value != number {
				old++
			}
		}
	}
	return old, nil
}
