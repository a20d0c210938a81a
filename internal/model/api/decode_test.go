package api

import (
	"errors"
	"strings"
	"testing"
)

// message gives the text of an API error, with its type unless that is the one every case of a table has.
func message(t *testing.T, err error, usual string) string {
	t.Helper()
	var e *Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		t.Fatalf("not an API error: %v", err)
	case e.Type != usual:
		t.Fatalf("%s in place of a %s: %s", e.Type, usual, e.Message)
	case e.Message == "":
		return "(no message)"
	}
	return e.Message
}

// The texts are those of errors.json ser-*.
func TestParseMismatches(t *testing.T) {
	const pkg = "com.amazonaws.dynamodb.v20120810."
	cases := []struct {
		in   Input
		body string
		want string
	}{
		{new(PutItemInput), `{"TableName":23}`, "NUMBER_VALUE cannot be converted to String"},
		{new(PutItemInput), `{"TableName":2.5}`, "DECIMAL_VALUE cannot be converted to String"},
		{new(PutItemInput), `{"TableName":true}`, "TRUE_VALUE cannot be converted to String"},
		{new(PutItemInput), `{"TableName":false}`, "FALSE_VALUE cannot be converted to String"},
		{new(PutItemInput), `{"TableName":["a"]}`, "Unrecognized collection type class java.lang.String"},
		{new(PutItemInput), `{"TableName":{"a":1}}`, "Start of structure or map found where not expected"},
		{new(PutItemInput), `{"ReturnValues":7}`, "NUMBER_VALUE cannot be converted to String"},
		{new(PutItemInput), `{"Item":"a"}`, "Unexpected field type"},
		{new(PutItemInput), `{"Item":["a"]}`, "Unrecognized collection type java.util.Map<java.lang.String, " + pkg + "AttributeValue>"},
		{new(PutItemInput), `{"Item":{"a":"b"}}`, "Unexpected value type in payload"},
		{new(PutItemInput), `{"Expected":"a"}`, "Unexpected field type"},
		{new(PutItemInput), `{"Expected":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, " + pkg + "ExpectedAttributeValue>"},
		{new(PutItemInput), `{"Expected":{"a":[]}}`, "Unrecognized collection type class " + pkg + "ExpectedAttributeValue"},
		{new(PutItemInput), `{"Expected":{"a":1}}`, "Unexpected value type in payload"},
		{new(PutItemInput), `{"Expected":{"a":{"Value":"b"}}}`, "Unexpected field type"},
		{new(PutItemInput), `{"Expected":{"a":{"AttributeValueList":["b"]}}}`, "Unexpected value type in payload"},
		{new(PutItemInput), `{"Expected":{"a":{"Exists":1}}}`, "NUMBER_VALUE cannot be converted to Boolean"},
		{new(PutItemInput), `{"Expected":{"a":{"Exists":"maybe"}}}`, "Unexpected token received from parser"},
		{new(PutItemInput), `{"ExpressionAttributeNames":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"},
		{new(QueryInput), `{"Limit":"1"}`, "STRING_VALUE cannot be converted to Integer"},
		{new(QueryInput), `{"Limit":true}`, "TRUE_VALUE cannot be converted to Integer"},
		{new(QueryInput), `{"Limit":[]}`, "Unrecognized collection type class java.lang.Integer"},
		{new(QueryInput), `{"ConsistentRead":[]}`, "Unrecognized collection type class java.lang.Boolean"},
		{new(QueryInput), `{"AttributesToGet":"a"}`, "Unexpected field type"},
		{new(QueryInput), `{"AttributesToGet":{"a":1}}`, "Start of structure or map found where not expected"},
		{new(CreateTableInput), `{"ProvisionedThroughput":{"ReadCapacityUnits":"3"}}`, "STRING_VALUE cannot be converted to Long"},
		{new(CreateTableInput), `{"ProvisionedThroughput":3}`, "Unexpected field type"},
		{new(CreateTableInput), `{"KeySchema":["a"]}`, "Unexpected value type in payload"},
		{new(CreateTableInput), `{"KeySchema":[nope]}`, "(no message)"},
		{new(CreateTableInput), `{"KeySchema":[[]]}`, "Unrecognized collection type class " + pkg + "KeySchemaElement"},
		{new(ListBackupsInput), `{"TimeRangeLowerBound":"yesterday"}`, "STRING_VALUE cannot be converted to Date"},
		{new(ListBackupsInput), `{"TimeRangeLowerBound":[]}`, "Unrecognized collection type class java.util.Date"},
		{new(BatchWriteItemInput), `{"RequestItems":[]}`, "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<" + pkg + "WriteRequest>>"},
		{new(PutScalingPolicyRequest), `{"PolicyName":1}`, "NUMBER_VALUE cannot be converted to String"},
	}
	for _, c := range cases {
		if got := message(t, Parse([]byte(c.body), c.in), "SerializationException"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
}

// A body that is not one JSON object is refused without a message, and so is one that goes wrong after a mismatch.
func TestParseRefusesWhatIsNoObject(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	bodies := []string{
		"", " ", "null", "[]", "1", `"a"`, "{", "}", "{}x", "{} {}", "{},", `{"TableName":}`, `{"TableName":"a",}`,
		`{"TableName" "a"}`, `{TableName:"a"}`, `{"TableName":'a'}`, `{"Unknown":nul}`, `{"Unknown":01}`,
		"{\"TableName\":\"\xff\"}", "{\"Unknown\":\"\xc3\"}", `{"TableName":"\x"}`, `{"Unknown":` + deep,
		`{"Unknown":` + deep + strings.Repeat("]", 100_000) + `}`,
		`{"Item":{"a":` + strings.Repeat(`{"L":[`, 100_000) + strings.Repeat(`]}`, 100_000) + `}}x`,
		`{"TableName":1}x`,
	}
	for _, body := range bodies {
		if got := message(t, Parse([]byte(body), new(PutItemInput)), "SerializationException"); got != "(no message)" {
			t.Errorf("%.60q: %s", body, got)
		}
	}
}

func TestDecodeReadsMembers(t *testing.T) {
	body := ` {"TableName":"first", "Unknown":{"a":[1,{"b":null}]}, "TableName":"\u0074able", "IndexName":null,
		"Limit":3.9, "ConsistentRead":"YES", "ScanIndexForward":"0", "Select":"COUNT", "ReturnConsumedCapacity":"nonsense",
		"AttributesToGet":["a", null, "b"], "KeyConditions":{"k":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]}},
		"ExclusiveStartKey":{"k":{"S":"x"}}, "ExpressionAttributeNames":{"#a":"b","#a":"c"}, "QueryFilter":null} `
	in := new(QueryInput)
	if err := Parse([]byte(body), in); err != nil {
		t.Fatal(err)
	}
	want := `{"TableName":"table","Select":"COUNT","AttributesToGet":["a","","b"],"Limit":3,"ConsistentRead":true,` +
		`"KeyConditions":{"k":{"AttributeValueList":[{"S":"x"}],"ComparisonOperator":"EQ"}},"ScanIndexForward":false,` +
		`"ExclusiveStartKey":{"k":{"S":"x"}},"ReturnConsumedCapacity":"nonsense","ExpressionAttributeNames":{"#a":"c"}}`
	if got := string(in.AppendJSON(nil)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestDecodeNumbers(t *testing.T) {
	cases := []struct {
		text string
		want int64
	}{
		{"7", 7}, {"-0", 0}, {"1.999", 1}, {"-1.5", -2}, {"1e3", 1000}, {"2.5E-1", 0}, {"9007199254740993", 9007199254740993},
		{"99999999999999999999", 1<<63 - 1}, {"-99999999999999999999", -1 << 63}, {"1e999", 1<<63 - 1}, {"-1e999", -1 << 63},
	}
	for _, c := range cases {
		in := new(QueryInput)
		if err := Parse([]byte(`{"Limit":`+c.text+`}`), in); err != nil {
			t.Fatal(err)
		}
		if *in.Limit != c.want {
			t.Errorf("%s is read as %d", c.text, *in.Limit)
		}
	}
	in := new(ListBackupsInput)
	if err := Parse([]byte(`{"TimeRangeLowerBound":1.7e9,"TimeRangeUpperBound":1700000000.125}`), in); err != nil {
		t.Fatal(err)
	}
	if *in.TimeRangeLowerBound != 1.7e9 || *in.TimeRangeUpperBound != 1700000000.125 {
		t.Errorf("times are read as %f and %f", *in.TimeRangeLowerBound, *in.TimeRangeUpperBound)
	}
}

// Decoded strings are copies: a server reuses the body's buffer.
func TestDecodeKeepsNothingOfTheBody(t *testing.T) {
	body := []byte(`{"TableName":"table","ReturnValues":"strange","Key":{"k":{"S":"v"}},"ExpressionAttributeNames":{"#n":"name"}}`)
	in := new(UpdateItemInput)
	if err := Parse(body, in); err != nil {
		t.Fatal(err)
	}
	want := string(in.AppendJSON(nil))
	for i := range body {
		body[i] = 'x'
	}
	if got := string(in.AppendJSON(nil)); got != want {
		t.Errorf("after the body was reused: %s", got)
	}
}

// FuzzDecodePutItem: nothing panics, and what was decoded reads the same after it was written.
func FuzzDecodePutItem(f *testing.F) {
	for _, seed := range []string{
		putItemBody, `{}`, `{"TableName":null,"Item":{"a":{"N":"1"}},"Expected":{"a":{"Exists":"no"}}}`,
		`{"Item":{"s":{"SS":["b","a"]},"m":{"M":{"x":{"NULL":true}}},"b":{"B":"AQI="}},"ReturnValues":"ALL_OLD"}`,
		`{"Item":{"a":{"L":[{"BOOL":false},{"NS":["1","1"]}]},"a":{}}}`, `[{"TableName":1}]`, `{"Expected":{"":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in := new(PutItemInput)
		if err := Parse(body, in); err != nil {
			message(t, err, "SerializationException")
			return
		}
		if err := in.Validate(); err != nil {
			message(t, err, "ValidationException")
			return
		}
		if in.Item.Fault() != "" || in.ExpressionAttributeValues.Fault() != "" || len(in.Expected) > 0 {
			return
		}
		written := in.AppendJSON(nil)
		again := new(PutItemInput)
		if err := Parse(written, again); err != nil {
			t.Fatalf("%s is not read back: %v", written, err)
		}
		if got := again.AppendJSON(nil); string(got) != string(written) {
			t.Fatalf("\nfirst %s\nagain %s", written, got)
		}
	})
}
