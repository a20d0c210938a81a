package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Visits counts visits of pages in one table. It is an application's own code: it does not know what stands behind its client.
type Visits struct {
	Client *dynamodb.Client
	Table  string
}

// Create makes the table unless it is there, and waits for it.
func (v Visits) Create(ctx context.Context) error {
	_, err := v.Client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &v.Table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("page"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("page"), KeyType: types.KeyTypeHash}},
	})
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(v.Client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	return waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &v.Table}, time.Minute)
}

// Count adds a visit and returns how many there are.
func (v Visits) Count(ctx context.Context, page string) (int, error) {
	out, err := v.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &v.Table,
		Key:                       map[string]types.AttributeValue{"page": &types.AttributeValueMemberS{Value: page}},
		UpdateExpression:          aws.String("ADD visits :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, err
	}
	visits, ok := out.Attributes["visits"].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("visits is a %T", out.Attributes["visits"])
	}
	return strconv.Atoi(visits.Value)
}
