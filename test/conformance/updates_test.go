package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestUpdateExpressions(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	before := item{"n": n("5"), "m": m(item{"a": n("1"), "b": n("2")}), "l": list(s("a"), s("b"), s("c")), "set": ss("x", "y"), "num": ns("1", "2")}
	cases := []struct {
		name, expression string
		values           item
		names            map[string]string
		want             item // what differs from before; nil values are gone
	}{
		{"set", "SET v = :v", item{":v": s("x")}, nil, item{"v": s("x")}},
		{"arithmetic", "SET n = n + :v, o = :v - n", item{":v": n("0.5")}, nil, item{"n": n("5.5"), "o": n("-4.5")}},
		{"reads see the item before", "SET n = :v, o = n", item{":v": n("1")}, nil, item{"n": n("1"), "o": n("5")}},
		{"nested", "SET m.a = :v, m.c = :v", item{":v": n("9")}, nil, item{"m": m(item{"a": n("9"), "b": n("2"), "c": n("9")})}},
		{"list element", "SET l[1] = :v", item{":v": s("B")}, nil, item{"l": list(s("a"), s("B"), s("c"))}},
		{"past the end appends", "SET l[9] = :v", item{":v": s("z")}, nil, item{"l": list(s("a"), s("b"), s("c"), s("z"))}},
		{"list_append", "SET l = list_append(:v, l)", item{":v": list(s("0"))}, nil, item{"l": list(s("0"), s("a"), s("b"), s("c"))}},
		{"if_not_exists", "SET n = if_not_exists(n, :v), o = if_not_exists(o, :v) + :v", item{":v": n("2")}, nil, item{"o": n("4")}},
		{"remove", "REMOVE n, m.a, l[0], l[2], absent", nil, nil, item{"n": nil, "m": m(item{"b": n("2")}), "l": list(s("b"))}},
		{"add number", "ADD n :v, o :v", item{":v": n("2")}, nil, item{"n": n("7"), "o": n("2")}},
		{"add to sets", "ADD #set :v, num :w", item{":v": ss("y", "z"), ":w": ns("2.0", "3")}, map[string]string{"#set": "set"},
			item{"set": ss("x", "y", "z"), "num": ns("1", "2", "3")}},
		{"delete from a set", "DELETE num :w", item{":w": ns("2", "7")}, nil, item{"num": ns("1")}},
		{"an emptied set is gone", "DELETE num :w", item{":w": ns("2", "1")}, nil, item{"num": nil}},
		{"all sections", "SET v = :v REMOVE m ADD n :w DELETE num :x", item{":v": s("x"), ":w": n("1"), ":x": ns("1")}, nil,
			item{"v": s("x"), "m": nil, "n": n("6"), "num": ns("2")}},
	}
	for _, test := range cases {
		it := with(keyOf("u", test.name), before)
		c.put(table, it)
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: keyOf("u", test.name), UpdateExpression: aws.String(test.expression),
			ExpressionAttributeValues: test.values, ExpressionAttributeNames: test.names,
		})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := with(it, test.want)
		for name, v := range test.want {
			if v == nil {
				delete(want, name)
			}
		}
		if got := c.get(table, keyOf("u", test.name)); showItem(got) != showItem(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, showItem(got), showItem(want))
		}
	}
}

func TestUpdateReturnValues(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	whole := with(keyOf("a", "1"), item{"v": n("1"), "m": m(item{"x": n("1"), "y": n("2")}), "kept": s("k")})
	for returned, want := range map[types.ReturnValue]item{
		types.ReturnValueNone:       nil,
		types.ReturnValueAllOld:     whole,
		types.ReturnValueAllNew:     with(keyOf("a", "1"), item{"v": n("2"), "m": m(item{"x": n("9"), "y": n("2")}), "kept": s("k"), "new": s("n")}),
		types.ReturnValueUpdatedOld: {"v": n("1"), "m": m(item{"x": n("1")})},
		types.ReturnValueUpdatedNew: {"v": n("2"), "m": m(item{"x": n("9")}), "new": s("n")},
	} {
		c.put(table, whole)
		out, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String("SET v = v + :1, m.x = :9, #new = :n"),
			ExpressionAttributeNames:  map[string]string{"#new": "new"},
			ExpressionAttributeValues: item{":1": n("1"), ":9": n("9"), ":n": s("n")}, ReturnValues: returned,
		})
		check(t, err)
		if showItem(out.Attributes) != showItem(want) {
			t.Errorf("%s returns %s, want %s", returned, showItem(out.Attributes), showItem(want))
		}
	}
}

func TestUpdateOfAMissingItem(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	update := func(sk string, expression *string, values item) {
		t.Helper()
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: keyOf("a", sk), UpdateExpression: expression, ExpressionAttributeValues: values,
		})
		check(t, err)
	}
	update("bare", nil, nil)
	wantItem(t, c.get(table, keyOf("a", "bare")), keyOf("a", "bare"))
	update("add", aws.String("ADD n :1"), item{":1": n("1")})
	wantItem(t, c.get(table, keyOf("a", "add")), with(keyOf("a", "add"), item{"n": n("1")}))
	update("remove", aws.String("REMOVE n"), nil)
	wantItem(t, c.get(table, keyOf("a", "remove")), nil)
}

func TestUpdateErrors(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	stored := with(keyOf("a", "1"), item{"s": s("x"), "l": list(n("1")), "m": m(item{"a": n("1")})})
	c.put(table, stored)
	for _, test := range []struct {
		expression string
		values     item
		phrase     string
	}{
		{"SET pk = :v", item{":v": s("x")}, "This attribute is part of the key"},
		{"SET x.y = :v", item{":v": s("x")}, "The document path provided in the update expression is invalid for update"},
		{"SET s.y = :v", item{":v": s("x")}, "The document path provided in the update expression is invalid for update"},
		{"SET v = s + :v", item{":v": n("1")}, "An operand in the update expression has an incorrect data type"},
		{"SET v = absent", nil, "The provided expression refers to an attribute that does not exist in the item"},
		{"SET v = :v, v = :v", item{":v": n("1")}, "Two document paths overlap with each other"},
		{"SET m = :v, m.a = :v", item{":v": n("1")}, "Two document paths overlap with each other"},
		{"SET v = :v SET w = :v", item{":v": n("1")}, `The "SET" section can only be used once in an update expression`},
		{"SET v = :absent", nil, "An expression attribute value used in expression is not defined; attribute value: :absent"},
		{"SET v = :v", item{":v": n("1"), ":unused": n("1")}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}"},
		{"SET name = :v", item{":v": n("1")}, "Attribute name is a reserved keyword; reserved keyword: name"},
		{"SET v = nope(:v)", item{":v": n("1")}, "Invalid function name; function: nope"},
		{"SET v", nil, "Syntax error; token: "},
		{"", nil, "The expression can not be empty"},
		{"ADD s :v", item{":v": s("x")}, "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"},
	} {
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String(test.expression), ExpressionAttributeValues: test.values,
		})
		t.Run(test.expression, func(t *testing.T) { wantError(t, err, "ValidationException", test.phrase) })
	}
	wantItem(t, c.get(table, keyOf("a", "1")), stored)
}

func TestCountersDoNotLoseUpdates(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	const workers, each = 8, 25
	failures := make(chan error, workers)
	for range workers {
		go func() {
			for range each {
				if _, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String("ADD n :1"), ExpressionAttributeValues: item{":1": n("1")},
				}); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range workers {
		check(t, <-failures)
	}
	wantItem(t, c.get(table, keyOf("a", "1")), with(keyOf("a", "1"), item{"n": num(workers * each)}))
}

func TestLegacyParameters(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("a", "1"), item{"n": n("1"), "gone": s("x"), "set": ss("x", "y")}))
	out, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf("a", "1"), ReturnValues: types.ReturnValueAllNew,
		AttributeUpdates: map[string]types.AttributeValueUpdate{
			"n":    {Action: types.AttributeActionAdd, Value: n("2")},
			"gone": {Action: types.AttributeActionDelete},
			"set":  {Action: types.AttributeActionDelete, Value: ss("x")},
			"new":  {Value: s("put")},
		},
		Expected: map[string]types.ExpectedAttributeValue{"n": {ComparisonOperator: types.ComparisonOperatorLt, AttributeValueList: []value{n("2")}}},
	})
	check(t, err)
	wantItem(t, out.Attributes, with(keyOf("a", "1"), item{"n": n("3"), "set": ss("y"), "new": s("put")}))

	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &table, Item: keyOf("a", "1"), Expected: map[string]types.ExpectedAttributeValue{"pk": {Exists: aws.Bool(false)}},
	})
	wantError(t, err, "ConditionalCheckFailedException")
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &table, Item: keyOf("a", "1"), ConditionExpression: aws.String("attribute_exists(pk)"),
		Expected: map[string]types.ExpectedAttributeValue{"pk": {Exists: aws.Bool(false)}},
	})
	wantError(t, err, "ValidationException", "Can not use both expression and non-expression parameters in the same request")

	query, err := c.Query(ctx, &dynamodb.QueryInput{
		TableName:     &table,
		KeyConditions: map[string]types.Condition{"pk": {ComparisonOperator: types.ComparisonOperatorEq, AttributeValueList: []value{s("a")}}},
		QueryFilter:   map[string]types.Condition{"n": {ComparisonOperator: types.ComparisonOperatorBetween, AttributeValueList: []value{n("3"), n("4")}}},
	})
	check(t, err)
	wantText(t, "query", sortKeys(query.Items), "1")
	get, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1"), AttributesToGet: []string{"n"}})
	check(t, err)
	wantItem(t, get.Item, item{"n": n("3")})
}
