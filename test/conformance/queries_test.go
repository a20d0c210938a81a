package conformance_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestQueryKeyConditions(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for _, sk := range []string{"a1", "a2", "a3", "b1", "b2", "é"} {
		c.put(table, keyOf("p", sk), keyOf("other", sk))
	}
	for _, test := range []struct {
		condition string
		values    item
		want      string
	}{
		{"pk = :pk", nil, "a1 a2 a3 b1 b2 é"},
		{"pk = :pk AND sk = :v", item{":v": s("a2")}, "a2"},
		{"pk = :pk AND sk < :v", item{":v": s("a3")}, "a1 a2"},
		{"pk = :pk AND sk <= :v", item{":v": s("a3")}, "a1 a2 a3"},
		{"pk = :pk AND sk > :v", item{":v": s("a3")}, "b1 b2 é"},
		{"sk >= :v AND pk = :pk", item{":v": s("b")}, "b1 b2 é"},
		{"pk = :pk AND :v < sk", item{":v": s("b1")}, "b2 é"},
		{"pk = :pk AND sk BETWEEN :v AND :w", item{":v": s("a2"), ":w": s("b1")}, "a2 a3 b1"},
		{"pk = :pk AND begins_with(sk, :v)", item{":v": s("a")}, "a1 a2 a3"},
		{"pk = :pk AND begins_with(sk, :v)", item{":v": s("x")}, ""},
	} {
		for _, forward := range []bool{true, false} {
			items := c.query(table, "p", func(in *dynamodb.QueryInput) {
				in.KeyConditionExpression, in.ScanIndexForward = aws.String(test.condition), aws.Bool(forward)
				in.ExpressionAttributeValues = with(in.ExpressionAttributeValues, test.values)
			})
			want := strings.Fields(test.want)
			if !forward {
				for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
					want[i], want[j] = want[j], want[i]
				}
			}
			wantText(t, fmt.Sprintf("%s, forward %t", test.condition, forward), sortKeys(items), strings.Join(want, " "))
		}
	}
}

func TestNumericAndBinarySortKeys(t *testing.T) {
	c := connect(t)
	for kind, keys := range map[string][]value{
		"N": {n("-1E20"), n("-12"), n("-1.5"), n("0"), n("0.00001"), n("1"), n("2"), n("10"), n("1E30")},
		"B": {b("\x00"), b("\x00\x00"), b("\x01"), b("a"), b("a\x00"), b("a\x01"), b("b"), b("\xff"), b("\xff\xff")},
		"S": {s("\x00"), s("A"), s("Z"), s("a"), s("aa"), s("b"), s("é"), s("\uffff"), s("\U00010000")},
	} {
		table := c.table(func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = define("pk", "S", "sk", kind) })
		want := ""
		for i := range keys {
			c.put(table, item{"pk": s("p"), "sk": keys[(i*4)%len(keys)], "place": num((i * 4) % len(keys))})
			want += fmt.Sprint(i, " ")
		}
		got := ""
		for _, it := range c.query(table, "p", nil) {
			got += show(it["place"]) + " "
		}
		wantText(t, "order of "+kind, got, want)
	}
}

// Answers that are made at the same time, of sizes that differ, show each its own items.
func TestReadsAtOnce(t *testing.T) {
	const collections, each, rounds = 6, 40, 40
	made := func(p, i int) item {
		return with(keyOf(fmt.Sprint(p), fmt.Sprintf("%02d", i)), item{"text": s(strings.Repeat(fmt.Sprint(p), 1+p*300))})
	}
	c := connect(t)
	table := c.table(nil)
	for i := range collections * each {
		c.put(table, made(i%collections, i/collections))
	}
	var running sync.WaitGroup
	for client := range 2 * collections {
		running.Go(func() {
			p := client % collections
			in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :pk"),
				ExpressionAttributeValues: item{":pk": s(fmt.Sprint(p))}}
			for round := range rounds {
				at := round % each
				one, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf(fmt.Sprint(p), fmt.Sprintf("%02d", at))})
				if err != nil || show(m(one.Item)) != show(m(made(p, at))) {
					t.Errorf("item %d in collection %d is %v, %v", at, p, one, err)
					return
				}
				in.Limit = aws.Int32(int32(1 + (round*7+client)%each))
				out, err := c.Query(ctx, in)
				if err != nil || len(out.Items) != int(*in.Limit) {
					t.Errorf("collection %d: %v, want %d items", p, err, *in.Limit)
					return
				}
				for i, got := range out.Items {
					if show(m(got)) != show(m(made(p, i))) {
						t.Errorf("item %d of %d in collection %d is %s", i, *in.Limit, p, show(m(got)))
						return
					}
				}
			}
		})
	}
	running.Wait()
}

func TestQueryPages(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for i := range 10 {
		c.put(table, with(keyOf("p", fmt.Sprint(i)), item{"n": num(i)}))
	}
	for _, forward := range []bool{true, false} {
		for _, limit := range []int32{1, 3, 10, 11} {
			var got []item
			var counts []string
			in := &dynamodb.QueryInput{
				TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), FilterExpression: aws.String("n <> :3"), Limit: &limit,
				ExpressionAttributeValues: item{":pk": s("p"), ":3": n("3")}, ScanIndexForward: &forward,
			}
			for {
				out, err := c.Query(ctx, in)
				check(t, err)
				got = append(got, out.Items...)
				counts = append(counts, fmt.Sprint(out.ScannedCount))
				if out.LastEvaluatedKey == nil {
					break
				}
				if len(out.LastEvaluatedKey) != 2 {
					t.Fatalf("last key %s", showItem(out.LastEvaluatedKey))
				}
				in.ExclusiveStartKey = out.LastEvaluatedKey
			}
			want := "0 1 2 4 5 6 7 8 9"
			if !forward {
				want = "9 8 7 6 5 4 2 1 0"
			}
			wantText(t, fmt.Sprintf("limit %d, forward %t, pages %v", limit, forward, counts), sortKeys(got), want)
		}
	}
}

func TestQueryPagesAreOneMegabyte(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	large := s(strings.Repeat("x", 300_000))
	for i := range 5 {
		c.put(table, with(keyOf("p", fmt.Sprint(i)), item{"v": large}))
	}
	out, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": s("p")},
	})
	check(t, err)
	if out.LastEvaluatedKey == nil || out.Count < 3 || out.Count > 4 {
		t.Errorf("%d of 5 items of 300 KB on the first page, last key %s", out.Count, showItem(out.LastEvaluatedKey))
	}
	wantText(t, "all", sortKeys(c.query(table, "p", nil)), "0 1 2 3 4")
}

func TestQuerySelectAndProjection(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"v": n("1"), "w": n("2")}), with(keyOf("p", "2"), item{"w": n("3")}))
	items := c.query(table, "p", func(in *dynamodb.QueryInput) { in.ProjectionExpression = aws.String("v") })
	wantItem(t, items[0], item{"v": n("1")})
	wantItem(t, items[1], item{})

	out, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), FilterExpression: aws.String("w > :2"), Select: types.SelectCount,
		ExpressionAttributeValues: item{":pk": s("p"), ":2": n("2")}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	check(t, err)
	if out.Items != nil || out.Count != 1 || out.ScannedCount != 2 || *out.ConsumedCapacity.CapacityUnits != 0.5 {
		t.Errorf("items %v, count %d, scanned %d, units %v", out.Items, out.Count, out.ScannedCount, *out.ConsumedCapacity.CapacityUnits)
	}
}

func TestQueryErrors(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for condition, phrase := range map[string]string{
		"sk = :v":                           "Query condition missed key schema element: pk",
		"pk > :v":                           "Query key condition not supported",
		"pk = :v AND sk <> :v":              "",
		"pk = :v OR sk = :v":                "",
		"pk = :v AND other = :v":            "",
		"pk = :v AND sk = :v AND sk > :v":   "",
		"pk = :n":                           "One or more parameter values were invalid: Condition parameter type does not match schema type",
		"pk = :v AND sk BETWEEN :w AND :v":  "The BETWEEN operator requires upper bound to be greater than or equal to lower bound",
		"pk = :v AND contains(sk, :v)":      "",
		"pk = :v AND size(sk) = :v":         "",
		"pk = :v AND begins_with(sk, :e)  ": "",
	} {
		values := item{}
		for alias, v := range (item{":v": s("a"), ":w": s("b"), ":n": n("1"), ":e": n("2")}) {
			if mentions(condition, alias) {
				values[alias] = v
			}
		}
		_, err := c.Query(ctx, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String(condition), ExpressionAttributeValues: values})
		t.Run(condition, func(t *testing.T) { wantError(t, err, "ValidationException", phrase) })
	}

	for what, test := range map[string]struct {
		change func(*dynamodb.QueryInput)
		phrase string
	}{
		"a filter on a key":     {func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("sk = :pk") }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		"an unknown index":      {func(in *dynamodb.QueryInput) { in.IndexName = aws.String("nowhere") }, "The table does not have the specified index: nowhere"},
		"a foreign start key":   {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = keyOf("other", "1") }, ""},
		"a partial start key":   {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"pk": s("p")} }, "The provided starting key is invalid"},
		"a limit of none":       {func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }, ""},
		"count with projection": {func(in *dynamodb.QueryInput) { in.Select, in.ProjectionExpression = types.SelectCount, aws.String("v") }, ""},
	} {
		in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": s("p")}}
		test.change(in)
		_, err := c.Query(ctx, in)
		t.Run(what, func(t *testing.T) { wantError(t, err, "ValidationException", test.phrase) })
	}
}
