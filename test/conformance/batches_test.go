package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putRequest(it item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
}

func deleteRequest(key item) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
}

func TestBatchWriteAndGet(t *testing.T) {
	c := connect(t)
	one, two := c.table(nil), c.table(nil)
	c.put(one, keyOf("old", "1"))
	write := map[string][]types.WriteRequest{one: {deleteRequest(keyOf("old", "1"))}}
	read := map[string]types.KeysAndAttributes{one: {Keys: []item{keyOf("old", "1")}}, two: {
		Keys: []item{keyOf("nobody", "1")}, ProjectionExpression: aws.String("n, pk"), ConsistentRead: aws.Bool(true),
	}}
	for i := range 12 {
		for _, table := range []string{one, two} {
			write[table] = append(write[table], putRequest(with(keyOf("p", fmt.Sprint(i)), item{"n": num(i)})))
			keys := read[table]
			keys.Keys = append(keys.Keys, keyOf("p", fmt.Sprint(i)))
			read[table] = keys
		}
	}
	written, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: write, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	check(t, err)
	if written.UnprocessedItems == nil || len(written.UnprocessedItems) != 0 {
		t.Errorf("unprocessed items %v, want an empty map", written.UnprocessedItems)
	}
	units := map[string]float64{}
	for _, consumed := range written.ConsumedCapacity {
		units[*consumed.TableName] = *consumed.CapacityUnits
	}
	if units[one] != 13 || units[two] != 12 {
		t.Errorf("units %v", units)
	}

	got, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: read})
	check(t, err)
	if len(got.UnprocessedKeys) != 0 {
		t.Errorf("unprocessed keys %v", got.UnprocessedKeys)
	}
	wantOne, wantTwo := map[string]bool{}, map[string]bool{}
	for i := range 12 {
		wantOne[showItem(with(keyOf("p", fmt.Sprint(i)), item{"n": num(i)}))] = true
		wantTwo[showItem(item{"pk": s("p"), "n": num(i)})] = true
	}
	wantSet(t, got.Responses[one], wantOne)
	wantSet(t, got.Responses[two], wantTwo)
}

func TestBatchGetStopsAtSixteenMegabytes(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	large := s(strings.Repeat("x", 380_000))
	keys := types.KeysAndAttributes{}
	for i := range 50 {
		c.put(table, with(keyOf(fmt.Sprint("p", i), "1"), item{"v": large}))
		keys.Keys = append(keys.Keys, keyOf(fmt.Sprint("p", i), "1"))
	}
	request, items, rounds := map[string]types.KeysAndAttributes{table: keys}, 0, 0
	for ; len(request) > 0; rounds++ {
		out, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		check(t, err)
		if n := len(out.Responses[table]); n == 0 || n*380_000 > 16<<20 {
			t.Fatalf("a batch that brings %d items of 380 KB", n)
		}
		items += len(out.Responses[table])
		request = out.UnprocessedKeys
	}
	if items != 50 || rounds < 2 {
		t.Errorf("%d items in %d rounds, want 50 in more than one", items, rounds)
	}
}

func TestBatchErrors(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	many := make([]types.WriteRequest, 26)
	for i := range many {
		many[i] = putRequest(keyOf("p", fmt.Sprint(i)))
	}
	for what, test := range map[string]struct {
		requests []types.WriteRequest
		phrase   string
	}{
		"twice the same key": {[]types.WriteRequest{putRequest(keyOf("p", "1")), deleteRequest(keyOf("p", "1"))}, "Provided list of item keys contains duplicates"},
		"too many":           {many, "Member must have length less than or equal to 25"},
		"a key without sk":   {[]types.WriteRequest{deleteRequest(item{"pk": s("p")})}, "The provided key element does not match the schema"},
		"neither":            {[]types.WriteRequest{{}}, ""},
		"one too large":      {[]types.WriteRequest{putRequest(keyOf("good", "1")), putRequest(with(keyOf("p", "1"), item{"v": s(strings.Repeat("x", 409_600))}))}, "Item size has exceeded the maximum allowed size"},
		"twice, then a key too long": {[]types.WriteRequest{putRequest(keyOf("p", "1")), putRequest(keyOf("p", "1")), putRequest(keyOf(strings.Repeat("p", 2049), "1"))},
			"Provided list of item keys contains duplicates"},
		"a key too long, then twice": {[]types.WriteRequest{putRequest(keyOf(strings.Repeat("p", 2049), "1")), putRequest(keyOf("p", "1")), putRequest(keyOf("p", "1"))},
			"Size of hashkey has exceeded"},
	} {
		_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: test.requests}})
		t.Run(what, func(t *testing.T) { wantError(t, err, "ValidationException", test.phrase) })
	}
	// What is refused as a whole leaves nothing behind.
	wantItem(t, c.get(table, keyOf("good", "1")), nil)

	_, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		table: {putRequest(keyOf("p", "1"))}, "conformance-nowhere": {putRequest(keyOf("p", "1"))},
	}})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
	// A table that is missing comes before what is wrong with any other's keys, whichever of the names comes first.
	for _, nowhere := range []string{"A-conformance-nowhere", "zz-conformance-nowhere"} {
		_, err = c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			table: {putRequest(keyOf("", "1"))}, nowhere: {putRequest(keyOf("p", "1"))},
		}})
		wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
	}
	_, err = c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		table: {Keys: []item{keyOf("p", "1"), keyOf("p", "1")}},
	}})
	wantError(t, err, "ValidationException", "Provided list of item keys contains duplicates")
}
