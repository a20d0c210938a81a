package stator_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"stator"
)

// The Go that README.md shows, word for word, so that it is compiled; what needs no server is run.

func readmeServer(ctx context.Context) (*dynamodb.ListTablesOutput, error) {
	db := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String("http://127.0.0.1:8000"), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	out, err := db.ListTables(ctx, &dynamodb.ListTablesInput{})
	return out, err
}

func readmeEmbedded(ctx context.Context) (*dynamodb.ListTablesOutput, error) {
	db, err := stator.Open(ctx, stator.Options{InMemory: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String("http://stator.internal"), Region: "us-east-1", HTTPClient: db.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	return client.ListTables(ctx, &dynamodb.ListTablesInput{})
}

func TestReadme(t *testing.T) {
	if out, err := readmeEmbedded(t.Context()); err != nil || len(out.TableNames) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	_ = readmeServer // needs a server
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("README.md shows no Go")
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		indented := "\t" + strings.ReplaceAll(strings.TrimSpace(code), "\n", "\n\t") + "\n"
		if !strings.Contains(string(own), indented) {
			t.Errorf("README.md shows Go that is not compiled here:\n%s", code)
		}
	}
}
