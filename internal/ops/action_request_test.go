package ops

import (
	"strings"
	"testing"

	"stator/internal/model/api"
)

func hashOf(t *testing.T, items string) [16]byte {
	t.Helper()
	var in api.TransactWriteItemsInput
	if err := api.Parse([]byte(`{"ClientRequestToken":"t","TransactItems":[`+items+`]}`), &in); err != nil {
		t.Fatal(err)
	}
	wish, err := newTransaction(&in)
	if err != nil {
		t.Fatal(err)
	}
	return wish.hash
}

// A request is known again by what it asks, however its attributes are ordered; whatever differs makes it another one.
func TestParameters(t *testing.T) {
	const request = `{"Put":{"TableName":"hash","Item":{"pk":{"S":"a"},"n":{"N":"1"}},"ConditionExpression":"#a = :v OR #b = :w",` +
		`"ExpressionAttributeNames":{"#a":"x","#b":"y"},"ExpressionAttributeValues":{":v":{"S":"1"},":w":{"S":"2"}}}},` +
		`{"Update":{"TableName":"hash","Key":{"pk":{"S":"b"}},"UpdateExpression":"ADD n :v","ExpressionAttributeValues":{":v":{"N":"1"}}}}`
	want := hashOf(t, request)
	for _, same := range [][2]string{
		{`{"pk":{"S":"a"},"n":{"N":"1"}}`, `{"n":{"N":"1.0"},"pk":{"S":"a"}}`},
		{`{"#a":"x","#b":"y"}`, `{"#b":"y","#a":"x"}`},
		{`{":v":{"S":"1"},":w":{"S":"2"}}`, `{":w":{"S":"2"},":v":{"S":"1"}}`},
	} {
		if hashOf(t, replaced(t, request, same)) != want {
			t.Errorf("%s in the place of %s is another request", same[1], same[0])
		}
	}
	seen := map[[16]byte]string{want: "the request"}
	for _, other := range [][2]string{
		{`"TableName":"hash","Item"`, `"TableName":"other","Item"`},
		{`{"pk":{"S":"a"},"n":{"N":"1"}}`, `{"pk":{"S":"a"},"n":{"N":"2"}}`},
		{`{"pk":{"S":"a"},"n":{"N":"1"}}`, `{"pk":{"S":"a"},"n":{"S":"1"}}`},
		{`"#a = :v OR #b = :w"`, `"#b = :v OR #a = :w"`},
		{`"#b":"y"`, `"#b":"z"`},
		{`{":v":{"S":"1"},":w":{"S":"2"}}`, `{":v":{"S":"2"},":w":{"S":"2"}}`},
		{`"ADD n :v"`, `"SET n = :v"`},
		{`{"Update":{"TableName":"hash"`, `{"Update":{"ReturnValuesOnConditionCheckFailure":"ALL_OLD","TableName":"hash"`},
		{`{"Update":{"TableName":"hash"`, `{"Update":{"ReturnValuesOnConditionCheckFailure":"NONE","TableName":"hash"`},
		{`,{"Update"`, `,{"Delete":{"TableName":"hash","Key":{"pk":{"S":"c"}}}},{"Update"`},
		{`,{"Update"`, `,{"ConditionCheck":{"TableName":"hash","Key":{"pk":{"S":"c"}},"ConditionExpression":"attribute_exists(pk)"}},{"Update"`},
		{`,{"Update"`, `,{"Delete":{"TableName":"hash","Key":{"pk":{"S":"c"}},"ConditionExpression":"attribute_exists(pk)"}},{"Update"`},
	} {
		hash := hashOf(t, replaced(t, request, other))
		if like, met := seen[hash]; met {
			t.Errorf("%s in the place of %s is like %s", other[1], other[0], like)
		}
		seen[hash] = other[1]
	}
}

func replaced(t *testing.T, text string, change [2]string) string {
	t.Helper()
	if !strings.Contains(text, change[0]) {
		t.Fatalf("no %s in the request", change[0])
	}
	return strings.Replace(text, change[0], change[1], 1)
}
