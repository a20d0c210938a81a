package conformance_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestEveryTypeComesBackAsItWentIn(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	stored := with(keyOf("a", "1"), item{
		"S": s("héllo ✓ \u0000\"\\\n"), "empty": s(""), "N": n("-12.345"), "large": n(strings.Repeat("9", 38)), "B": b("\x00\xff"),
		"BOOL": boolean(true), "false": boolean(false), "NULL": null(), "SS": ss("b", "a"), "NS": ns("2", "1", "-3"), "BS": bs("x", "y"),
		"L": list(s("x"), list(), m(item{})), "M": m(item{"a": list(n("1"), m(item{"b": null()}))}),
	})
	c.put(table, stored)
	wantItem(t, c.get(table, keyOf("a", "1")), stored)
}

func TestNumbersAreCanonical(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for given, want := range map[string]string{
		"+5": "5", ".5": "0.5", "5.": "5", "00042.1200": "42.12", "-0": "0", "1.23E10": "12300000000", "1e-3": "0.001",
		"1E125": "1" + strings.Repeat("0", 125), "-1E-130": "-0." + strings.Repeat("0", 129) + "1",
	} {
		it := with(keyOf("n", given), item{"v": n(given)})
		c.put(table, it)
		if got := c.get(table, keyOf("n", given))["v"]; show(got) != want {
			t.Errorf("%s comes back as %s, want %s", given, show(got), want)
		}
	}
	for _, refused := range []string{"", "abc", "1e", "0x5", " 5", "1_000", "NaN", "1E126", "1E-131", strings.Repeat("9", 39)} {
		_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("n", "x"), item{"v": n(refused)})})
		if err == nil {
			t.Errorf("the number %q is taken", refused)
			continue
		}
		wantError(t, err, "ValidationException")
	}
}

func TestPutReplacesWholeItems(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	first := with(keyOf("a", "1"), item{"v": n("1"), "gone": s("x")})
	second := with(keyOf("a", "1"), item{"v": n("2")})
	c.put(table, first)
	out, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: second, ReturnValues: types.ReturnValueAllOld})
	check(t, err)
	wantItem(t, out.Attributes, first)
	wantItem(t, c.get(table, keyOf("a", "1")), second)
}

func TestConditionalPut(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	absent := &dynamodb.PutItemInput{
		TableName: &table, Item: with(keyOf("a", "1"), item{"v": n("1")}), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	_, err := c.PutItem(ctx, absent)
	check(t, err)

	absent.Item = with(keyOf("a", "1"), item{"v": n("2")})
	_, err = c.PutItem(ctx, absent)
	wantError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		wantItem(t, failed.Item, with(keyOf("a", "1"), item{"v": n("1")}))
	}
	wantItem(t, c.get(table, keyOf("a", "1")), with(keyOf("a", "1"), item{"v": n("1")}))
}

func TestConditions(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("a", "1"), item{
		"n": n("5"), "s": s("hello"), "set": ss("x", "y"), "l": list(n("1"), n("2")), "m": m(item{"in": n("7")}), "b": boolean(true),
	}))
	values := item{
		":4": n("4"), ":5": n("5.0"), ":6": n("6"), ":hel": s("hel"), ":x": s("x"), ":S": s("S"), ":7": n("7"), ":l": list(n("1"), n("2")), ":t": boolean(true),
	}
	for expression, want := range map[string]bool{
		"n = :5":                              true,
		"n <> :5":                             false,
		"n < :6 AND n >= :5":                  true,
		"n BETWEEN :4 AND :6":                 true,
		"n IN (:4, :6)":                       false,
		"n IN (:4, :5)":                       true,
		"begins_with(s, :hel)":                true,
		"begins_with(n, :hel)":                false,
		"contains(s, :hel)":                   true,
		"contains(#set, :x)":                  true,
		"contains(l, :5)":                     false,
		"size(s) = :5":                        true,
		"size(l) < :4":                        true,
		"attribute_type(s, :S)":               true,
		"attribute_exists(absent)":            false,
		"attribute_not_exists(m.absent)":      true,
		"m.#in = :7":                          true,
		"l[1] < :4":                           true,
		"l = :l":                              true,
		"b = :t":                              true,
		"absent = :5":                         false,
		"absent <> :5":                        true,
		"NOT absent = :5":                     true,
		"s < :5":                              false,
		"n = :4 OR n = :5 AND s = :hel":       false,
		"(n = :4 OR n = :5) AND NOT s = :hel": true,
		"not n = :4 and attribute_exists(s)":  true,
		"n = :6 or begins_with(s, :hel)":      true,
	} {
		in := &dynamodb.UpdateItemInput{TableName: &table, Key: keyOf("a", "1"), ConditionExpression: aws.String(expression)}
		for name, v := range values {
			if mentions(expression, name) {
				in.ExpressionAttributeValues = with(in.ExpressionAttributeValues, item{name: v})
			}
		}
		for alias, name := range map[string]string{"#set": "set", "#in": "in"} {
			if mentions(expression, alias) {
				in.ExpressionAttributeNames = map[string]string{alias: name}
			}
		}
		_, err := c.UpdateItem(ctx, in)
		if want {
			if err != nil {
				t.Errorf("%s: %v, want it to hold", expression, err)
			}
			continue
		}
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Errorf("%s: got %v, want it not to hold", expression, err)
		}
	}
}

// mentions says whether the expression holds the alias as a whole word.
func mentions(expression, alias string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(alias) + `\b`).MatchString(expression)
}

func TestConditionErrors(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for expression, phrase := range map[string]string{
		"n = n":                           "The first operand must be distinct from the remaining operands for this operator or function",
		"((n = :v))":                      "The expression has redundant parentheses",
		"size(:v) = :v":                   "",
		"n = :v AND":                      `Syntax error; token: "<EOF>", near: "AND"`,
		"attribute_exist(n)":              "Invalid function name; function: attribute_exist",
		"begins_with(n)":                  "Incorrect number of operands for operator or function",
		"n BETWEEN :v AND :less":          "The BETWEEN operator requires upper bound to be greater than or equal to lower bound",
		"attribute_type(n, :v)":           "",
		"#n = :v":                         "An expression attribute name used in the document path is not defined; attribute name: #n",
		"name = :v":                       "Attribute name is a reserved keyword; reserved keyword: name",
		strings.Repeat("n = :v OR ", 500): "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size;",
	} {
		in := &dynamodb.DeleteItemInput{
			TableName: &table, Key: keyOf("a", "1"), ConditionExpression: aws.String(expression), ExpressionAttributeValues: item{":v": n("5")},
		}
		if mentions(expression, ":less") {
			in.ExpressionAttributeValues[":less"] = n("4")
		}
		if !mentions(expression, ":v") {
			in.ExpressionAttributeValues = nil
		}
		_, err := c.DeleteItem(ctx, in)
		t.Run(expression[:min(len(expression), 30)], func(t *testing.T) { wantError(t, err, "ValidationException", phrase) })
	}
}

func TestDeleteItem(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	stored := with(keyOf("a", "1"), item{"v": n("1")})
	c.put(table, stored)
	in := &dynamodb.DeleteItemInput{TableName: &table, Key: keyOf("a", "1"), ReturnValues: types.ReturnValueAllOld}
	out, err := c.DeleteItem(ctx, in)
	check(t, err)
	wantItem(t, out.Attributes, stored)
	wantItem(t, c.get(table, keyOf("a", "1")), nil)

	out, err = c.DeleteItem(ctx, in)
	check(t, err)
	wantItem(t, out.Attributes, nil)
}

func TestGetItemProjection(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("a", "1"), item{"l": list(n("0"), n("1"), n("2")), "m": m(item{"x": n("1"), "y": n("2")}), "a.b": s("dotted")}))
	in := &dynamodb.GetItemInput{
		TableName: &table, Key: keyOf("a", "1"), ProjectionExpression: aws.String("l[2], m.y, l[0], #d, absent"),
		ExpressionAttributeNames: map[string]string{"#d": "a.b"},
	}
	out, err := c.GetItem(ctx, in)
	check(t, err)
	wantItem(t, out.Item, item{"l": list(n("0"), n("2")), "m": m(item{"y": n("2")}), "a.b": s("dotted")})

	in.ProjectionExpression, in.ExpressionAttributeNames = aws.String("absent"), nil
	out, err = c.GetItem(ctx, in)
	check(t, err)
	wantItem(t, out.Item, item{})
}

func TestItemSizeLimit(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	// pk and sk with their values take 2+1+2+1 bytes, the name v takes 1.
	const room = 409600 - 7
	c.put(table, with(keyOf("a", "1"), item{"v": s(strings.Repeat("x", room))}))
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("a", "2"), item{"v": s(strings.Repeat("x", room+1))})})
	wantError(t, err, "ValidationException", "Item size has exceeded the maximum allowed size")
	_, err = c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String("SET w = :w"), ExpressionAttributeValues: item{":w": n("1")},
	})
	wantError(t, err, "ValidationException", "Item size to update has exceeded the maximum allowed size")
}

// An UpdateExpression is weighed besides the item that it makes, before its condition. AttributeUpdates and a transaction's Update are not.
func TestUpdateSizeLimit(t *testing.T) {
	const tooLarge = "Item size to update has exceeded the maximum allowed size"
	c := connect(t)
	table := c.table(nil)
	update := func(expression, condition string, bytes int) error {
		in := &dynamodb.UpdateItemInput{TableName: &table, Key: keyOf("a", "1"), UpdateExpression: &expression,
			ExpressionAttributeValues: item{":v": s(strings.Repeat("x", bytes))}}
		if condition != "" {
			in.ConditionExpression = &condition
		}
		_, err := c.UpdateItem(ctx, in)
		return err
	}
	// 3 for the update, 19 for the SET, 1 for the name v; 39 for the function and 16 for the path that it reads.
	const room = 409600 - 23
	check(t, update("SET v = :v", "", room))
	wantError(t, update("SET v = :v", "", room+1), "ValidationException", tooLarge)
	wantError(t, update("SET v = :v", "attribute_exists(absent)", room+1), "ValidationException", tooLarge)
	wantError(t, update("SET v = if_not_exists(v, :v)", "", room-54), "ValidationException", tooLarge)
	check(t, update("SET v = if_not_exists(v, :v)", "", room-55))

	// pk and sk with their values take 2+1+2+1 bytes, the name v takes 1.
	full := s(strings.Repeat("x", 409600-7))
	_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: keyOf("a", "1"),
		AttributeUpdates: map[string]types.AttributeValueUpdate{"v": {Value: full}}})
	check(t, err)
	_, err = c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{
		TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String("SET v = :v"), ExpressionAttributeValues: item{":v": full}}}}})
	check(t, err)
}

func TestNestingLimit(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	nested := s("leaf")
	for range 31 {
		nested = list(nested)
	}
	c.put(table, with(keyOf("a", "1"), item{"v": nested}))
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: with(keyOf("a", "1"), item{"v": list(nested)})})
	wantError(t, err, "ValidationException", "Nesting Levels have exceeded supported limits")
}

func TestConsumedCapacity(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	put := func(bytes int) float64 {
		t.Helper()
		out, err := c.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &table, Item: with(keyOf("a", "1"), item{"v": s(strings.Repeat("x", bytes-7))}), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		check(t, err)
		return *out.ConsumedCapacity.CapacityUnits
	}
	get := func(strong bool) float64 {
		t.Helper()
		out, err := c.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &table, Key: keyOf("a", "1"), ConsistentRead: &strong, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		check(t, err)
		return *out.ConsumedCapacity.CapacityUnits
	}
	var got []string
	for _, bytes := range []int{1024, 1025, 4096, 4097, 100} {
		got = append(got, fmt.Sprint(put(bytes), get(true), get(false)))
	}
	// A smaller item still pays for what it replaces.
	wantText(t, "write, strong and eventual units", strings.Join(got, "; "), "1 1 0.5; 2 1 0.5; 4 1 0.5; 5 2 1; 5 1 0.5")
}

// semantics §3.2–3.4: an item is measured as it is stored, each item of a batch is rounded on its own, and a page once, over all that it
// evaluates, whatever the filter and the projection leave of it.
func TestConsumedCapacityOfReads(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	sized := func(bytes int) item { return item{"v": s(strings.Repeat("x", bytes))} }
	c.put(table, with(keyOf("p", "1"), sized(1900)), with(keyOf("p", "2"), sized(1900)), with(keyOf("p", "3"), sized(1900)), with(keyOf("q", "1"), sized(4100)))
	total, strong, projection, filter := types.ReturnConsumedCapacityTotal, aws.Bool(true), aws.String("sk"), aws.String("attribute_exists(nothing)")
	get, err := c.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &table, Key: keyOf("q", "1"), ProjectionExpression: projection, ConsistentRead: strong, ReturnConsumedCapacity: total,
	})
	check(t, err)
	batch, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{ReturnConsumedCapacity: total, RequestItems: map[string]types.KeysAndAttributes{
		table: {Keys: []item{keyOf("p", "1"), keyOf("p", "2"), keyOf("none", "1")}, ProjectionExpression: projection, ConsistentRead: strong},
	}})
	check(t, err)
	query, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": s("p")},
		FilterExpression: filter, ProjectionExpression: projection, ConsistentRead: strong, ReturnConsumedCapacity: total,
	})
	check(t, err)
	got := fmt.Sprint(*get.ConsumedCapacity.CapacityUnits, *batch.ConsumedCapacity[0].CapacityUnits, *query.ConsumedCapacity.CapacityUnits)
	wantText(t, "units of a large item, of two in a batch and a missing one, and of a page of three", got, "2 3 2")
}
