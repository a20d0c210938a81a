package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// minorityTimeout is the --request-timeout of a cluster that loses most of its nodes.
const minorityTimeout = 2 * time.Second

// With two of three nodes down, what needs a majority fails in time and may be tried again, and what may be old is answered. With one of
// them back, all is as it was.
func TestTwoOfThreeDie(t *testing.T) {
	nodes := three(t, "--request-timeout", minorityTimeout.String())
	connect(nodes[0]).plainTable("things")
	want := map[string]string{}
	for i := range clusterItems {
		pk := fmt.Sprintf("item-%d", i)
		if err := connect(nodes[i%3]).store(pk, "first"); err != nil {
			t.Fatal(err)
		}
		want[pk] = "first"
	}
	healed(t, nodes)
	left := connect(nodes[2])
	left.until("the node that will be left has everything", func() bool { return left.stale(want) == nil })
	nodes[0].kill()
	nodes[1].kill()
	for name, request := range map[string]func() error{
		"a put":          func() error { return left.store("item-0", "second") },
		"a strong get":   func() error { _, err := left.value("item-1"); return err },
		"a strong query": func() error { return left.query("item-2", true) },
		"a transaction":  func() error { return left.together("item-3", "item-4") },
	} {
		if err := request(); !retryable(err) {
			t.Errorf("%s is answered with %v, which the SDK does not try again", name, err)
		}
	}
	if err := errors.Join(left.stale(want), left.query("item-2", false)); err != nil {
		t.Errorf("what may be old is not answered: %v", err)
	}
	nodes[0].restart()
	delete(want, "item-0") // nobody knows whether it was written
	left.until("strong reads are answered again", func() bool { _, err := left.value("item-1"); return err == nil })
	agree(t, left, want)
}

// stale reads everything as it may have been.
func (c client) stale(want map[string]string) error {
	for pk, value := range want {
		out, err := c.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"pk": str(pk)}})
		if err == nil && textOf(out.Item) != textOf(item{"pk": str(pk), "value": str(value)}) {
			err = fmt.Errorf("%s is %s", pk, textOf(out.Item))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c client) query(pk string, strong bool) error {
	_, err := c.Query(context.Background(), &dynamodb.QueryInput{
		TableName: aws.String("things"), KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": str(pk)},
		ConsistentRead: &strong,
	})
	return err
}

// together writes two items in a transaction.
func (c client) together(pks ...string) error {
	in := &dynamodb.TransactWriteItemsInput{}
	for _, pk := range pks {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{
			Put: &types.Put{TableName: aws.String("things"), Item: item{"pk": str(pk), "value": str("first")}},
		})
	}
	_, err := c.TransactWriteItems(context.Background(), in)
	return err
}

// retryable tells whether the SDK would try again what was answered so: an answer, of a server that could not.
func retryable(err error) bool {
	var said smithy.APIError
	var response *smithyhttp.ResponseError
	return errors.As(err, &said) && errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError
}
