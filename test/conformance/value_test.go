package conformance_test

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type (
	item  = map[string]types.AttributeValue
	value = types.AttributeValue
)

func s(text string) value        { return &types.AttributeValueMemberS{Value: text} }
func n(text string) value        { return &types.AttributeValueMemberN{Value: text} }
func num(i int) value            { return n(fmt.Sprint(i)) }
func b(text string) value        { return &types.AttributeValueMemberB{Value: []byte(text)} }
func ss(members ...string) value { return &types.AttributeValueMemberSS{Value: members} }
func ns(members ...string) value { return &types.AttributeValueMemberNS{Value: members} }
func list(elements ...value) value {
	return &types.AttributeValueMemberL{Value: append([]value{}, elements...)}
}
func m(entries item) value { return &types.AttributeValueMemberM{Value: entries} }
func boolean(v bool) value { return &types.AttributeValueMemberBOOL{Value: v} }
func null() value          { return &types.AttributeValueMemberNULL{Value: true} }

func bs(members ...string) value {
	set := &types.AttributeValueMemberBS{}
	for _, member := range members {
		set.Value = append(set.Value, []byte(member))
	}
	return set
}

// with is a copy of it with more attributes.
func with(it, more item) item {
	joined := item{}
	for name, v := range it {
		joined[name] = v
	}
	for name, v := range more {
		joined[name] = v
	}
	return joined
}

// keyOf is a key of the default table.
func keyOf(pk, sk string) item { return item{"pk": s(pk), "sk": s(sk)} }

// define reads pairs of name and type.
func define(pairs ...string) []types.AttributeDefinition {
	var definitions []types.AttributeDefinition
	for i := 0; i < len(pairs); i += 2 {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: aws.String(pairs[i]), AttributeType: types.ScalarAttributeType(pairs[i+1]),
		})
	}
	return definitions
}

// key is a key schema: the first name is the partition key, the second, if any, the sort key.
func key(names ...string) []types.KeySchemaElement {
	kinds := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}
	var elements []types.KeySchemaElement
	for i, name := range names {
		elements = append(elements, types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kinds[i]})
	}
	return elements
}

func projectAll() *types.Projection {
	return &types.Projection{ProjectionType: types.ProjectionTypeAll}
}

// show writes a value so that equal values have equal texts: sets and maps are sorted.
func show(v value) string {
	switch v := v.(type) {
	case nil:
		return "absent"
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("0x%x", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		return fmt.Sprintf("ss%q", slices.Sorted(slices.Values(v.Value)))
	case *types.AttributeValueMemberNS:
		return fmt.Sprint("ns", slices.Sorted(slices.Values(v.Value)))
	case *types.AttributeValueMemberBS:
		return fmt.Sprintf("bs%x", slices.SortedFunc(slices.Values(v.Value), bytes.Compare))
	case *types.AttributeValueMemberL:
		var elements []string
		for _, element := range v.Value {
			elements = append(elements, show(element))
		}
		return "[" + strings.Join(elements, " ") + "]"
	case *types.AttributeValueMemberM:
		return showItem(v.Value)
	}
	return fmt.Sprintf("unknown %T", v)
}

func showItem(it item) string {
	if it == nil {
		return "absent"
	}
	var entries []string
	for name, v := range it {
		entries = append(entries, name+":"+show(v))
	}
	sort.Strings(entries)
	return "{" + strings.Join(entries, " ") + "}"
}

func wantItem(t *testing.T, got, want item) {
	t.Helper()
	if showItem(got) != showItem(want) {
		t.Errorf("got  %s\nwant %s", showItem(got), showItem(want))
	}
}

// sortKeys are the sk of items, in order.
func sortKeys(items []item) string {
	var keys []string
	for _, it := range items {
		keys = append(keys, strings.Trim(show(it["sk"]), `"`))
	}
	return strings.Join(keys, " ")
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// put writes items into the table.
func (c client) put(table string, items ...item) {
	c.t.Helper()
	for _, it := range items {
		if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			c.t.Fatalf("put %s: %v", showItem(it), err)
		}
	}
}

// get reads one item strongly; nil is an absent one.
func (c client) get(table string, key item) item {
	c.t.Helper()
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		c.t.Fatalf("get %s: %v", showItem(key), err)
	}
	return out.Item
}

// query follows a query of the default table's partition pk to its end.
func (c client) query(table, pk string, change func(*dynamodb.QueryInput)) []item {
	c.t.Helper()
	in := &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": s(pk)},
	}
	if change != nil {
		change(in)
	}
	var items []item
	pages := dynamodb.NewQueryPaginator(c, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			c.t.Fatalf("query: %v", err)
		}
		items = append(items, page.Items...)
	}
	return items
}
