package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func globalIndex(name string, schema []types.KeySchemaElement, projection *types.Projection) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{IndexName: &name, KeySchema: schema, Projection: projection}
}

// byIndex is a query of one index by one equality, followed to its end.
func (c client) byIndex(table, index, attribute string, v value) []item {
	c.t.Helper()
	return c.query(table, "", func(in *dynamodb.QueryInput) {
		in.IndexName, in.KeyConditionExpression = &index, aws.String("#k = :v")
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = map[string]string{"#k": attribute}, item{":v": v}
	})
}

// settles waits until a query of an index shows exactly these sort keys: a global index follows its table.
func (c client) settles(table, index, attribute string, v value, want string) {
	c.t.Helper()
	c.eventually(fmt.Sprintf("index %s shows %q", index, want), func() bool { return sortKeys(c.byIndex(table, index, attribute, v)) == want })
}

func TestGlobalIndexFollowsItsTable(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "color", "S", "size", "N")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("by-color", key("color", "size"), projectAll())}
	})
	it := func(sk, color string, size int) item {
		return with(keyOf("p"+sk, sk), item{"color": s(color), "size": num(size)})
	}
	c.put(table, it("a", "red", 3), it("b", "red", 1), it("c", "blue", 2), keyOf("d", "d"), with(keyOf("e", "e"), item{"color": s("red")}))
	c.settles(table, "by-color", "color", s("red"), "b a")

	// The key of an entry changes, comes, goes; the item goes.
	c.put(table, it("c", "red", 2))
	c.settles(table, "by-color", "color", s("red"), "b c a")
	c.settles(table, "by-color", "color", s("blue"), "")
	_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf("pa", "a"), UpdateExpression: aws.String("SET #s = :v"),
		ExpressionAttributeNames: map[string]string{"#s": "size"}, ExpressionAttributeValues: item{":v": n("-1")},
	})
	check(t, err)
	c.settles(table, "by-color", "color", s("red"), "a b c")
	_, err = c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: keyOf("pb", "b"), UpdateExpression: aws.String("REMOVE color")})
	check(t, err)
	_, err = c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: keyOf("pc", "c")})
	check(t, err)
	c.settles(table, "by-color", "color", s("red"), "a")
	wantItem(t, c.byIndex(table, "by-color", "color", s("red"))[0], it("a", "red", -1))
}

func TestGlobalIndexProjections(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
			globalIndex("keys", key("g"), &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}),
			globalIndex("some", key("g"), &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"x"}}),
			globalIndex("all", key("g"), projectAll()),
		}
	})
	whole := with(keyOf("p", "1"), item{"g": s("g"), "x": n("1"), "y": n("2")})
	c.put(table, whole)
	keys := with(keyOf("p", "1"), item{"g": s("g")})
	for index, want := range map[string]item{"keys": keys, "some": with(keys, item{"x": n("1")}), "all": whole} {
		c.settles(table, index, "g", s("g"), "1")
		wantItem(t, c.byIndex(table, index, "g", s("g"))[0], want)
	}
	_, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, IndexName: aws.String("keys"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": s("g")},
		Select: types.SelectAllAttributes,
	})
	wantError(t, err, "ValidationException", "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is not ALL")
	_, err = c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, IndexName: aws.String("all"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": s("g")},
		ConsistentRead: aws.Bool(true),
	})
	wantError(t, err, "ValidationException", "Consistent reads are not supported on global secondary indexes")
}

func TestGlobalIndexPagesThroughTies(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S", "r", "N")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("tied", key("g", "r"), projectAll())}
	})
	want := map[string]bool{}
	for i := range 30 {
		it := with(keyOf(fmt.Sprint("p", i), "x"), item{"g": s("g"), "r": num(i / 10)})
		c.put(table, it)
		want[showItem(it)] = true
	}
	c.eventually("30 entries", func() bool { return len(c.byIndex(table, "tied", "g", s("g"))) == 30 })
	for _, forward := range []bool{true, false} {
		for _, limit := range []int32{1, 4, 10} {
			items := c.query(table, "", func(in *dynamodb.QueryInput) {
				in.IndexName, in.KeyConditionExpression, in.ExpressionAttributeValues = aws.String("tied"), aws.String("g = :g"), item{":g": s("g")}
				in.Limit, in.ScanIndexForward = &limit, &forward
			})
			wantSet(t, items, want)
		}
	}
	first, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, IndexName: aws.String("tied"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": s("g")},
		Limit: aws.Int32(1),
	})
	check(t, err)
	if len(first.LastEvaluatedKey) != 4 {
		t.Errorf("last key %s, want table key and index key", showItem(first.LastEvaluatedKey))
	}
}

func TestGlobalIndexOfAFilledTable(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for i := range 50 {
		c.put(table, with(keyOf(fmt.Sprint("p", i), fmt.Sprintf("%02d", i)), item{"g": s([]string{"even", "odd"}[i%2])}))
	}
	c.put(table, with(keyOf("wrong", "type"), item{"g": n("1")}))
	_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: &table, AttributeDefinitions: define("g", "S", "sk", "S"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("later"), KeySchema: key("g", "sk"), Projection: projectAll(),
		}}},
	})
	check(t, err)
	c.put(table, with(keyOf("new", "99"), item{"g": s("odd")}))
	c.awaitActive(table)
	var odd []string
	for i := 1; i < 50; i += 2 {
		odd = append(odd, fmt.Sprintf("%02d", i))
	}
	c.settles(table, "later", "g", s("odd"), strings.Join(append(odd, "99"), " "))

	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("wrong", "again"), item{"g": n("1")})})
	wantError(t, err, "ValidationException", "Type mismatch for Index Key g Expected: S Actual: N IndexName: later")

	_, err = c.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName:                   &table,
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("later")}}},
	})
	check(t, err)
	c.eventually("the index is gone", func() bool {
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		check(t, err)
		return len(out.Table.GlobalSecondaryIndexes) == 0 && out.Table.TableStatus == types.TableStatusActive
	})
	c.put(table, with(keyOf("wrong", "again"), item{"g": n("1")}))
}

func TestLocalIndex(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "rank", "N")
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{
			IndexName: aws.String("by-rank"), KeySchema: key("pk", "rank"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}}
	})
	whole := func(sk string, rank int) item {
		return with(keyOf("p", sk), item{"rank": num(rank), "more": s("more " + sk)})
	}
	c.put(table, whole("a", 3), whole("b", 1), whole("c", 2), keyOf("p", "unranked"), with(keyOf("q", "z"), item{"rank": n("0")}))
	ranked := func(change func(*dynamodb.QueryInput)) []item {
		t.Helper()
		return c.query(table, "p", func(in *dynamodb.QueryInput) {
			in.IndexName, in.ConsistentRead = aws.String("by-rank"), aws.Bool(true)
			if change != nil {
				change(in)
			}
		})
	}
	// A local index is written with its table, so a consistent read sees it at once.
	items := ranked(nil)
	wantText(t, "order", sortKeys(items), "b c a")
	wantItem(t, items[0], with(keyOf("p", "b"), item{"rank": n("1")}))
	wantItem(t, ranked(func(in *dynamodb.QueryInput) { in.Select = types.SelectAllAttributes })[0], whole("b", 1))
	wantItem(t, ranked(func(in *dynamodb.QueryInput) { in.ProjectionExpression = aws.String("more") })[0], item{"more": s("more b")})

	c.put(table, whole("b", 9))
	_, err := c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: keyOf("p", "c")})
	check(t, err)
	wantText(t, "order after writes", sortKeys(ranked(nil)), "a b")
	wantText(t, "between", sortKeys(ranked(func(in *dynamodb.QueryInput) {
		in.KeyConditionExpression = aws.String("pk = :pk AND #r BETWEEN :lo AND :hi")
		in.ExpressionAttributeNames = map[string]string{"#r": "rank"}
		in.ExpressionAttributeValues = item{":pk": s("p"), ":lo": n("4"), ":hi": n("9")}
	})), "b")

	out, err := c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &table, Item: whole("d", 5), ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	})
	check(t, err)
	if metrics := out.ItemCollectionMetrics; metrics == nil || showItem(metrics.ItemCollectionKey) != `{pk:"p"}` || len(metrics.SizeEstimateRangeGB) != 2 {
		t.Errorf("item collection metrics %+v", out.ItemCollectionMetrics)
	}
	consumed := out.ConsumedCapacity
	if *consumed.CapacityUnits != 2 || *consumed.Table.CapacityUnits != 1 || *consumed.LocalSecondaryIndexes["by-rank"].CapacityUnits != 1 {
		t.Errorf("consumed %+v", consumed)
	}
}

func TestIndexKeysOfAWrongType(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("by-g", key("g"), projectAll())}
	})
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("p", "1"), item{"g": n("1")})})
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g")
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("p", "1"), item{"g": s("")})})
	wantError(t, err, "ValidationException", "by-g")
	c.put(table, keyOf("p", "1"))
	_, err = c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf("p", "1"), UpdateExpression: aws.String("SET g = :v"), ExpressionAttributeValues: item{":v": n("1")},
	})
	wantError(t, err, "ValidationException")
	wantItem(t, c.get(table, keyOf("p", "1")), keyOf("p", "1"))
}
