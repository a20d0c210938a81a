package stator_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator"
)

// testdata keeps a directory as a release of every format left it after a kill: tables Music, with a local and a global
// index, and Plain, with a tag; six items each, of which Music lost "artist 0", "song 6" again. Every later release opens
// it, reads it as it was, and does with it what it does with its own.
func TestDirectoriesOfEveryFormatOpen(t *testing.T) {
	dirs, err := filepath.Glob("testdata/format-*")
	if err != nil || len(dirs) == 0 {
		t.Fatal(dirs, err)
	}
	for _, from := range dirs {
		t.Run(filepath.Base(from), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // as it was left, then as this release left it
				db, err := stator.Open(t.Context(), stator.Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				c := client(db)
				reads(t, c)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			db, err := stator.Open(t.Context(), stator.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			writes(t, client(db))
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func reads(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	for table, items := range map[string]int32{"Music": 5, "Plain": 6} {
		if page, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}); err != nil || page.Count != items {
			t.Errorf("table %s: %+v, %v, want %d items", table, page, err, items)
		}
	}
	query := func(index, condition string, values map[string]types.AttributeValue, want int32) {
		t.Helper()
		page, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName: aws.String("Music"), IndexName: &index, KeyConditionExpression: &condition, ExpressionAttributeValues: values,
			ExpressionAttributeNames: map[string]string{"#y": "Year"},
		})
		if err != nil || page.Count != want {
			t.Errorf("index %s: %+v, %v, want %d items", index, page, err, want)
		}
	}
	since := &types.AttributeValueMemberN{Value: "1992"}
	query("ByYear", "Artist = :a AND #y > :y", map[string]types.AttributeValue{":a": text("artist 1"), ":y": since}, 1)
	query("ByGenre", "Genre = :g AND #y > :y", map[string]types.AttributeValue{":g": text("genre 1"), ":y": since}, 2)
	tags, err := c.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{
		ResourceArn: aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/Plain"),
	})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "db" {
		t.Errorf("tags %+v, %v", tags, err)
	}
}

// writes uses what came after format 1: a transaction over both tables, a stream, a time to live.
func writes(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("Plain"),
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly}})
	if err != nil {
		t.Fatal(err)
	}
	waitActive(t, c, "Plain")
	if _, err := c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("Plain"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true), AttributeName: aws.String("ends")}}); err != nil {
		t.Fatal(err)
	}
	_, err = c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("Plain"), Item: map[string]types.AttributeValue{"id": text("past"), "ends": &types.AttributeValueMemberN{
			Value: timeText(time.Now().Add(-time.Minute))}}}},
		{Delete: &types.Delete{TableName: aws.String("Music"), Key: map[string]types.AttributeValue{"Artist": text("artist 1"), "Song": text("song 1")}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		page, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("Plain")})
		if err != nil {
			t.Fatal(err)
		}
		if page.Count == 6 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d items: the one whose time has ended is still there", page.Count)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func timeText(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
