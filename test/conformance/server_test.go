// Package conformance_test is what a DynamoDB client may expect, tried over HTTP with the AWS SDK for Go. It does not know how it is answered.
package conformance_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"stator/test/sdk"
)

// endpointVariable names a server to try instead of the one that the tests start: a Stator elsewhere, or the service itself.
const endpointVariable = "STATOR_ENDPOINT"

// endpoint is where the server under test answers. It is set once, before the tests run.
var endpoint string

// passes are the servers that every case is tried on. The answers must not differ.
var passes = []struct {
	name  string
	serve func() (stop func(), err error)
}{
	{"an embedded database, tables of one partition", serveEmbedded},
	{"a server, tables of 64 partitions", func() (func(), error) { return serveNode(64, nil) }},
	{"a server, tables of one partition that are split at random", func() (func(), error) { return serveNode(1, splitAtRandom) }},
	{"a cluster of five nodes, tables of 16 partitions with three replicas", serveCluster},
}

// TestMain runs every test in every pass.
func TestMain(m *testing.M) {
	flag.Parse()
	if endpoint = os.Getenv(endpointVariable); endpoint != "" {
		os.Exit(m.Run())
	}
	code := 0
	for _, pass := range passes {
		stop, err := pass.serve()
		if err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
			os.Exit(1)
		}
		failed := m.Run() != 0
		if stop(); failed || faults.Load() > 0 {
			fmt.Fprintf(os.Stderr, "failed over %s\n", pass.name)
			code = 1
		}
	}
	os.Exit(code)
}

// start returns the endpoint of the server under test.
func start(t *testing.T) string {
	t.Helper()
	t.Parallel()
	return endpoint
}

// client is the SDK's client with a test to fail. It never retries: an error is what the server said.
type client struct {
	*dynamodb.Client
	t *testing.T
}

func connect(t *testing.T) client {
	t.Helper()
	return client{t: t, Client: sdk.New(start(t))}
}

var tableCount atomic.Int64

// table makes a table that change describes further, waits until it is ACTIVE and deletes it after the test. Without change its key is
// pk (S) and sk (S).
func (c client) table(change func(*dynamodb.CreateTableInput)) string {
	c.t.Helper()
	in := &dynamodb.CreateTableInput{
		TableName:            aws.String(uniqueName()),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: define("pk", "S", "sk", "S"),
		KeySchema:            key("pk", "sk"),
	}
	if change != nil {
		change(in)
	}
	if _, err := c.CreateTable(ctx, in); err != nil {
		c.t.Fatalf("create table: %v", err)
	}
	c.awaitActive(*in.TableName)
	c.t.Cleanup(func() {
		_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: in.TableName})
		var gone *types.ResourceNotFoundException
		var going *types.ResourceInUseException
		if err != nil && !errors.As(err, &gone) && !errors.As(err, &going) {
			c.t.Errorf("delete table: %v", err)
		}
	})
	return *in.TableName
}

func uniqueName() string { return fmt.Sprintf("conformance-%d-%d", os.Getpid(), tableCount.Add(1)) }

const (
	waitMax   = 2 * time.Minute
	pollEvery = 10 * time.Millisecond
)

// eventually polls holds until it is true, and fails the test when it never is.
func (c client) eventually(what string, holds func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(waitMax); !holds(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			c.t.Fatalf("after %s still not true: %s", waitMax, what)
		}
	}
}

// awaitActive waits until the table and all its global indexes are ACTIVE.
func (c client) awaitActive(name string) {
	c.t.Helper()
	c.eventually("table "+name+" is ACTIVE", func() bool {
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			c.t.Fatalf("describe table: %v", err)
		}
		for _, index := range out.Table.GlobalSecondaryIndexes {
			if index.IndexStatus != types.IndexStatusActive {
				return false
			}
		}
		return out.Table.TableStatus == types.TableStatusActive
	})
}

// wantError fails the test unless err is the named DynamoDB error and its message holds every one of phrases.
func wantError(t *testing.T, err error, name string, phrases ...string) {
	t.Helper()
	var got smithy.APIError
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want %s", err, name)
	}
	if got.ErrorCode() != name {
		t.Fatalf("got %s: %s, want %s", got.ErrorCode(), got.ErrorMessage(), name)
	}
	for _, phrase := range phrases {
		if !strings.Contains(got.ErrorMessage(), phrase) {
			t.Errorf("%s says %q, want %q in it", name, got.ErrorMessage(), phrase)
		}
	}
}

// check fails the test on an error.
func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var ctx = context.Background()
