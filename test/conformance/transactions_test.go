package conformance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putAction(table string, it item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &table, Item: it, ConditionExpression: given(condition),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

func deleteAction(table string, key item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &table, Key: key, ConditionExpression: given(condition)}}
}

// addAction adds one to the attribute n.
func addAction(table string, key item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &table, Key: key, UpdateExpression: aws.String("ADD n :one"), ConditionExpression: given(condition),
		ExpressionAttributeValues: item{":one": num(1)},
	}}
}

func checkAction(table string, key item, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &table, Key: key, ConditionExpression: given(condition)}}
}

func getAction(table string, key item) types.TransactGetItem {
	return types.TransactGetItem{Get: &types.Get{TableName: &table, Key: key}}
}

// given is an optional text, absent when empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (c client) transact(actions ...types.TransactWriteItem) error {
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
	return err
}

// wantCancelled fails the test unless err cancels a transaction for these reasons, each a code with the message that follows
// it behind a colon, if any does.
func wantCancelled(t *testing.T, err error, reasons ...string) []types.CancellationReason {
	t.Helper()
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("got %v, want a cancellation for %v", err, reasons)
	}
	var codes []string
	for i, want := range reasons {
		code, message, _ := strings.Cut(want, ": ")
		codes = append(codes, code)
		if i >= len(cancelled.CancellationReasons) {
			t.Fatalf("%d reasons, want %v", len(cancelled.CancellationReasons), reasons)
		}
		got := cancelled.CancellationReasons[i]
		wantText(t, fmt.Sprintf("code %d", i), aws.ToString(got.Code), code)
		wantText(t, fmt.Sprintf("message %d", i), aws.ToString(got.Message), message)
	}
	wantText(t, "message", cancelled.ErrorMessage(),
		"Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(codes, ", ")+"]")
	return cancelled.CancellationReasons
}

const (
	failedCondition = "ConditionalCheckFailed: The conditional request failed"
	exists          = "attribute_exists(pk)"
	missing         = "attribute_not_exists(pk)"
)

func TestTransactWriteIsWholeOrNothing(t *testing.T) {
	c := connect(t)
	one, two := c.table(nil), c.table(nil)
	c.put(one, with(keyOf("a", "1"), item{"n": num(1)}), keyOf("b", "1"))
	c.put(two, keyOf("c", "1"))
	check(t, c.transact(
		addAction(one, keyOf("a", "1"), exists), deleteAction(one, keyOf("b", "1"), ""), checkAction(two, keyOf("c", "1"), exists),
		putAction(two, with(keyOf("d", "1"), item{"v": s("new")}), missing), addAction(two, keyOf("e", "1"), ""),
	))
	wantItem(t, c.get(one, keyOf("a", "1")), with(keyOf("a", "1"), item{"n": num(2)}))
	wantItem(t, c.get(one, keyOf("b", "1")), nil)
	wantItem(t, c.get(two, keyOf("d", "1")), with(keyOf("d", "1"), item{"v": s("new")}))
	wantItem(t, c.get(two, keyOf("e", "1")), with(keyOf("e", "1"), item{"n": num(1)}))

	reasons := wantCancelled(t, c.transact(
		addAction(one, keyOf("a", "1"), exists), putAction(two, keyOf("d", "1"), missing), checkAction(one, keyOf("b", "1"), exists),
		deleteAction(two, keyOf("c", "1"), ""),
	), "None", failedCondition, failedCondition, "None")
	wantItem(t, reasons[1].Item, with(keyOf("d", "1"), item{"v": s("new")}))
	wantItem(t, reasons[2].Item, nil)
	wantItem(t, c.get(one, keyOf("a", "1")), with(keyOf("a", "1"), item{"n": num(2)}))
	wantItem(t, c.get(two, keyOf("c", "1")), keyOf("c", "1"))
	// A cancelled transaction leaves no lock.
	c.put(one, keyOf("a", "1"))
	c.put(two, keyOf("c", "1"), keyOf("d", "1"))
}

func TestTransactWriteValidation(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("ggg", key("g"), projectAll())}
	})
	good := addAction(table, keyOf("good", "1"), "")
	deep := s("leaf")
	for range 32 {
		deep = list(deep)
	}
	for name, refused := range map[string]struct {
		actions []types.TransactWriteItem
		phrase  string
	}{
		"an unknown value":   {[]types.TransactWriteItem{putAction("nobody", keyOf("a", "1"), "a = :v")}, "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :v"},
		"a large item":       {[]types.TransactWriteItem{putAction(table, with(keyOf("a", "1"), item{"v": s(strings.Repeat("x", 409_600))}), "")}, "Item size has exceeded the maximum allowed size"},
		"a deep item":        {[]types.TransactWriteItem{putAction(table, with(keyOf("a", "1"), item{"v": deep}), "")}, "Nesting Levels have exceeded supported limits"},
		"an empty key":       {[]types.TransactWriteItem{good, putAction(table, keyOf("", "1"), "")}, "cannot contain an empty string value. Key: pk"},
		"an item twice":      {[]types.TransactWriteItem{good, checkAction(table, keyOf("good", "1"), exists)}, "Transaction request cannot include multiple operations on one item"},
		"an item twice, bad": {[]types.TransactWriteItem{good, good, deleteAction(table, item{"pk": s("a")}, "")}, "Transaction request cannot include multiple operations on one item"},
		"two kinds":          {[]types.TransactWriteItem{{Put: good.Put, Update: good.Update, Delete: deleteAction(table, keyOf("a", "1"), "").Delete}}, "TransactItems can only contain one of Check, Put, Update or Delete"},
		"no kind":            {[]types.TransactWriteItem{good, {}}, "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"},
		"no name, deep":      {[]types.TransactWriteItem{putAction("nobody", item{"pk": s("a"), "": s("x"), "v": deep}, "")}, "Empty attribute name"},
		"no parse, a deep key": {[]types.TransactWriteItem{deleteAction("nobody", item{"pk": deep}, "a = = b")},
			"Invalid ConditionExpression: Syntax error; token: \"=\", near: \"= = b\""},
		"a long condition": {[]types.TransactWriteItem{deleteAction("nobody", keyOf("a", "1"), strings.Repeat("n = :v OR ", 500))},
			"Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 5000"},
		"twins":         {[]types.TransactWriteItem{putAction("nobody", item{"pk": ss("b", "a", "b")}, "")}, "Input collection [b, a, b] contains duplicates."},
		"a huge number": {[]types.TransactWriteItem{putAction("nobody", item{"pk": n("1e2147483647")}, "")}, "Number underflow."},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, c.transact(refused.actions...), "ValidationException", refused.phrase)
		})
	}
	wantError(t, c.transact(good, putAction("nobody-has-this", keyOf("a", "1"), "")), "ResourceNotFoundException", "Requested resource not found")

	const mismatch = "ValidationError: The provided key element does not match the schema"
	wantCancelled(t, c.transact(good, putAction(table, item{"pk": n("1"), "sk": s("1")}, ""), deleteAction(table, item{"pk": s("a")}, "")),
		"None", "ValidationError: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N", "None")
	wantCancelled(t, c.transact(good, deleteAction(table, item{"pk": s("a"), "sk": n("1")}, "")), "None", mismatch)
	wantCancelled(t, c.transact(checkAction(table, item{"pk": s("a")}, exists), good), mismatch, "None")
	wantCancelled(t, c.transact(good, putAction(table, with(keyOf("a", "1"), item{"g": n("1")}), "")), "None",
		"ValidationError: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: ggg")
	// An update meets its faults only with the item at hand.
	update := addAction(table, keyOf("a", "1"), "")
	update.Update.UpdateExpression = aws.String("SET m.x = :one")
	wantCancelled(t, c.transact(good, update), "None", "ValidationError: The document path provided in the update expression is invalid for update")
	wantItem(t, c.get(table, keyOf("good", "1")), nil)
}

// Names and values that come without an expression are not refused within a transaction, as they are by the operations on one item.
func TestTransactNamesWithoutExpression(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	names := map[string]string{"#n": "n"}
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &table, Item: keyOf("a", "1"), ExpressionAttributeNames: names, ExpressionAttributeValues: item{":v": n("1")}}},
		{Delete: &types.Delete{TableName: &table, Key: keyOf("a", "2"), ExpressionAttributeNames: names}},
	}})
	check(t, err)
	out, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: &table, Key: keyOf("a", "1"), ExpressionAttributeNames: names}},
	}})
	check(t, err)
	wantItem(t, out.Responses[0].Item, keyOf("a", "1"))
	_, err = c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &table, Item: keyOf("a", "1"), ConditionExpression: aws.String("attribute_exists(pk)"), ExpressionAttributeNames: names}},
	}})
	wantError(t, err, "ValidationException", "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}")
}

func TestTransactWriteLimits(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	var hundred, large []types.TransactWriteItem
	for i := range 100 {
		hundred = append(hundred, putAction(table, keyOf("p", fmt.Sprint(i)), missing))
	}
	check(t, c.transact(hundred...))
	if got := len(c.query(table, "p", nil)); got != 100 {
		t.Errorf("%d items", got)
	}
	wantError(t, c.transact(append(hundred, putAction(table, keyOf("q", "1"), ""))...), "ValidationException",
		"at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
	for i := range 11 {
		large = append(large, putAction(table, with(keyOf("l", fmt.Sprint(i)), item{"v": s(strings.Repeat("x", 400_000))}), ""))
	}
	wantError(t, c.transact(large...), "ValidationException", "Transaction payload size cannot exceed 4MB")
	check(t, c.transact(large[:10]...))
	// What is deleted does not count.
	check(t, c.transact(large[10:]...))
	var deletes []types.TransactWriteItem
	var gets []types.TransactGetItem
	for i := range 11 {
		deletes = append(deletes, deleteAction(table, keyOf("l", fmt.Sprint(i)), ""))
		gets = append(gets, getAction(table, keyOf("l", fmt.Sprint(i))))
	}
	_, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
	wantError(t, err, "ValidationException", "exceeding the 4MB limit")
	check(t, c.transact(deletes...))
}

func TestTransactTokens(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	request := func(token string, kind types.ReturnConsumedCapacity, actions ...types.TransactWriteItem) ([]types.ConsumedCapacity, error) {
		out, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems: actions, ClientRequestToken: &token, ReturnConsumedCapacity: kind,
		})
		if err != nil {
			return nil, err
		}
		return out.ConsumedCapacity, nil
	}
	add := []types.TransactWriteItem{addAction(table, keyOf("a", "1"), ""), addAction(table, keyOf("b", "1"), "")}
	used, err := request("token "+table, types.ReturnConsumedCapacityTotal, add...)
	check(t, err)
	if len(used) != 1 || *used[0].CapacityUnits != 4 || *used[0].WriteCapacityUnits != 4 || used[0].ReadCapacityUnits != nil {
		t.Errorf("consumed %+v", used)
	}
	// The same request again, asking to be told more, is answered as done: it is charged for reading.
	used, err = request("token "+table, types.ReturnConsumedCapacityIndexes, add...)
	check(t, err)
	if len(used) != 1 || *used[0].CapacityUnits != 4 || *used[0].ReadCapacityUnits != 4 || used[0].WriteCapacityUnits != nil {
		t.Errorf("consumed %+v", used)
	}
	wantItem(t, c.get(table, keyOf("b", "1")), with(keyOf("b", "1"), item{"n": num(1)}))

	_, err = request("token "+table, "", add[0])
	wantError(t, err, "IdempotentParameterMismatchException")
	t.Run("with another first key", func(t *testing.T) {
		needsOneNode(t, "each node remembers the tokens that it saw itself")
		_, err := request("token "+table, "", addAction(table, keyOf("c", "1"), ""))
		wantError(t, err, "IdempotentParameterMismatchException")
	})
	_, err = request("other "+table, "", add...)
	check(t, err)
	wantItem(t, c.get(table, keyOf("a", "1")), with(keyOf("a", "1"), item{"n": num(2)}))

	// A cancelled request did not happen: its token is free for the same request once the items are as it wants them.
	third := []types.TransactWriteItem{addAction(table, keyOf("a", "1"), ""), checkAction(table, keyOf("c", "1"), exists)}
	_, err = request("third "+table, "", third...)
	wantCancelled(t, err, "None", failedCondition)
	c.put(table, keyOf("c", "1"))
	_, err = request("third "+table, "", third...)
	check(t, err)
	_, err = request(strings.Repeat("t", 37), "", add...)
	const long = "at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36"
	wantError(t, err, "ValidationException", long)
	_, err = request(strings.Repeat("t", 37), "BOGUS", add...)
	wantError(t, err, "ValidationException", long+"; Value 'BOGUS' at 'returnConsumedCapacity'")
}

func TestTransactCapacity(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "l", "S", "g", "S")
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("lll"), KeySchema: key("pk", "l"), Projection: projectAll()}}
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("ggg", key("g"), projectAll())}
	})
	other := c.table(nil)
	c.put(other, with(keyOf("big", "1"), item{"v": s(strings.Repeat("x", 5000))}))
	out, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			putAction(table, with(keyOf("a", "1"), item{"l": s("l"), "g": s("g"), "v": s(strings.Repeat("x", 1500))}), ""),
			checkAction(other, keyOf("big", "1"), exists), addAction(table, keyOf("b", "1"), ""),
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes, ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
	})
	check(t, err)
	got := map[string]types.ConsumedCapacity{}
	for _, used := range out.ConsumedCapacity {
		got[*used.TableName] = used
	}
	mine, checked := got[table], got[other]
	// Twice two units for the one item and twice one for the other; indexes cost what they always do.
	if *mine.CapacityUnits != 10 || *mine.WriteCapacityUnits != 10 || *mine.Table.WriteCapacityUnits != 6 ||
		*mine.LocalSecondaryIndexes["lll"].WriteCapacityUnits != 2 || *mine.GlobalSecondaryIndexes["ggg"].CapacityUnits != 2 {
		t.Errorf("consumed %+v %+v", mine, mine.Table)
	}
	if *checked.CapacityUnits != 10 || *checked.WriteCapacityUnits != 10 {
		t.Errorf("a check consumed %+v", checked)
	}
	metrics := out.ItemCollectionMetrics[table]
	if len(out.ItemCollectionMetrics) != 1 || len(metrics) != 2 || metrics[0].SizeEstimateRangeGB[1] != 1 {
		t.Fatalf("collections %+v", out.ItemCollectionMetrics)
	}
	wantItem(t, metrics[0].ItemCollectionKey, item{"pk": s("a")})

	read, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems:          []types.TransactGetItem{getAction(other, keyOf("big", "1")), getAction(other, keyOf("none", "1")), getAction(table, keyOf("a", "1"))},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	check(t, err)
	for _, used := range read.ConsumedCapacity {
		if want := map[string]float64{other: 6, table: 2}[*used.TableName]; *used.CapacityUnits != want || *used.ReadCapacityUnits != want {
			t.Errorf("consumed %+v", used)
		}
	}
}

func TestTransactGet(t *testing.T) {
	c := connect(t)
	one, two := c.table(nil), c.table(nil)
	c.put(one, with(keyOf("a", "1"), item{"v": s("x"), "w": s("y")}))
	c.put(two, with(keyOf("b", "1"), item{"v": s("z")}))
	projected := func(g types.TransactGetItem, expression string) types.TransactGetItem {
		g.Get.ProjectionExpression = &expression
		return g
	}
	out, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		getAction(two, keyOf("b", "1")), projected(getAction(one, keyOf("a", "1")), "w, z"), getAction(one, keyOf("none", "1")),
		projected(getAction(two, keyOf("none", "1")), "v"), projected(getAction(one, keyOf("a", "2")), "z"),
	}})
	check(t, err)
	wants := []item{with(keyOf("b", "1"), item{"v": s("z")}), {"w": s("y")}, nil, nil, nil}
	for i, want := range wants {
		wantItem(t, out.Responses[i].Item, want)
	}
	if out.ConsumedCapacity != nil {
		t.Errorf("consumed %+v", out.ConsumedCapacity)
	}
	get := func(actions ...types.TransactGetItem) error {
		_, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: actions})
		return err
	}
	wantError(t, get(getAction(one, keyOf("a", "1")), getAction(one, keyOf("a", "1"))), "ValidationException",
		"Transaction request cannot include multiple operations on one item")
	wantError(t, get(getAction("nobody-has-this", keyOf("a", "1"))), "ResourceNotFoundException", "Requested resource not found")
	wantError(t, get(getAction(one, keyOf("a", ""))), "ValidationException", "cannot contain an empty string value. Key: sk")
	wantError(t, get(projected(getAction(one, keyOf("a", "1")), "a..b")), "ValidationException", "Invalid ProjectionExpression: Syntax error")
	wantCancelled(t, get(getAction(one, keyOf("a", "1")), getAction(one, item{"pk": s("a")})), "None",
		"ValidationError: The provided key element does not match the schema")
}
