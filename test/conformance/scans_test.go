package conformance_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// spread is 120 items in 40 item collections.
func (c client) spread() (table string, want map[string]bool) {
	c.t.Helper()
	table, want = c.table(nil), map[string]bool{}
	for i := range 120 {
		it := with(keyOf(fmt.Sprint("p", i%40), fmt.Sprint(i/40)), item{"n": num(i)})
		c.put(table, it)
		want[showItem(it)] = true
	}
	return table, want
}

func wantSet(t *testing.T, got []item, want map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, it := range got {
		text := showItem(it)
		if seen[text] {
			t.Errorf("twice: %s", text)
		}
		if !want[text] {
			t.Errorf("not expected: %s", text)
		}
		seen[text] = true
	}
	if len(seen) != len(want) {
		t.Errorf("%d items, want %d", len(seen), len(want))
	}
}

func TestScanPages(t *testing.T) {
	c := connect(t)
	table, want := c.spread()
	for _, limit := range []int32{1, 7, 120, 1000} {
		var got []item
		pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table, Limit: &limit, ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			check(t, err)
			if page.Count > limit {
				t.Fatalf("a page of %d, %d at most", page.Count, limit)
			}
			got = append(got, page.Items...)
		}
		wantSet(t, got, want)
	}
}

func TestScanSegmentsAreDisjointAndComplete(t *testing.T) {
	c := connect(t)
	table, want := c.spread()
	for _, segments := range []int32{1, 3, 100} {
		var got []item
		for segment := range segments {
			pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{
				TableName: &table, Segment: aws.Int32(segment), TotalSegments: aws.Int32(segments), Limit: aws.Int32(11),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				check(t, err)
				got = append(got, page.Items...)
			}
		}
		wantSet(t, got, want)
	}
}

func TestScanKeepsCollectionsTogetherAndInOrder(t *testing.T) {
	c := connect(t)
	table, _ := c.spread()
	out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
	check(t, err)
	last := map[string]string{}
	previous := ""
	for _, it := range out.Items {
		pk, sk := show(it["pk"]), show(it["sk"])
		if before, seen := last[pk]; seen && (previous != pk || before >= sk) {
			t.Errorf("%s %s comes after %s %s", pk, sk, previous, before)
		}
		last[pk], previous = sk, pk
	}
}

func TestScanFilterAndCount(t *testing.T) {
	c := connect(t)
	table, _ := c.spread()
	out, err := c.Scan(ctx, &dynamodb.ScanInput{
		TableName: &table, Select: types.SelectCount, FilterExpression: aws.String("n < :ten AND sk = :zero"),
		ExpressionAttributeValues: item{":ten": n("10"), ":zero": s("0")},
	})
	check(t, err)
	if out.Count != 10 || out.ScannedCount != 120 || out.Items != nil {
		t.Errorf("count %d, scanned %d, items %v", out.Count, out.ScannedCount, out.Items)
	}
}

func TestScanErrors(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for what, test := range map[string]struct {
		in     dynamodb.ScanInput
		phrase string
	}{
		"a segment alone":         {dynamodb.ScanInput{Segment: aws.Int32(0)}, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
		"segments alone":          {dynamodb.ScanInput{TotalSegments: aws.Int32(2)}, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"},
		"a segment out of bounds": {dynamodb.ScanInput{Segment: aws.Int32(2), TotalSegments: aws.Int32(2)}, "The Segment parameter is zero-based and must be less than parameter TotalSegments"},
		"a bad start key":         {dynamodb.ScanInput{ExclusiveStartKey: item{"pk": s("p")}}, "The provided starting key is invalid"},
		"an unknown index":        {dynamodb.ScanInput{IndexName: aws.String("nowhere")}, "The table does not have the specified index: nowhere"},
		"an empty filter":         {dynamodb.ScanInput{FilterExpression: aws.String("")}, "The expression can not be empty"},
		"values without a use": {dynamodb.ScanInput{ExpressionAttributeValues: item{":v": n("1")}},
			"ExpressionAttributeValues can only be specified when using expressions"},
	} {
		in := test.in
		in.TableName = &table
		_, err := c.Scan(ctx, &in)
		t.Run(what, func(t *testing.T) { wantError(t, err, "ValidationException", test.phrase) })
	}
}
