// Command embedded opens a database inside its own process: the SDK's client talks to it without a socket.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"stator"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "embedded")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	// What is counted in the first round is on disk in the second.
	for range 2 {
		if err := visit(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func visit(ctx context.Context, dir string) (err error) {
	db, err := stator.Open(ctx, stator.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() {
		if closed := db.Close(); err == nil {
			err = closed
		}
	}()
	visits := Visits{Client: Client(db), Table: "visits"}
	if err := visits.Create(ctx); err != nil {
		return err
	}
	count, err := visits.Count(ctx, "front page")
	if err != nil {
		return err
	}
	fmt.Println("visits of the front page:", count)
	return nil
}

// Client is the SDK's own client, every request of which db answers. The endpoint is a name that nobody looks up.
func Client(db *stator.DB) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://stator.internal"),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   db.Client(),
	})
}
