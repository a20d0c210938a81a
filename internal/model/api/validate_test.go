package api

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// one is the message of a single failure.
func one(failure string) string { return "1 validation error detected: " + failure }

const constraint = " failed to satisfy constraint: "

// sentence is an input and the whole message it gets; none when it is valid. The messages are those of the public
// conformance suite and of errors.json c-*.
type sentence struct {
	in   Input
	body string
	want string
}

var name256 = strings.Repeat("a", 256)

// tableNameSentences are about the names of tables.
var tableNameSentences = []sentence{
	{new(PutItemInput), `{"Item":{}}`, one("Value null at 'tableName'" + constraint + "Member must not be null")},
	{new(PutItemInput), `{"TableName":"","ReturnValues":"x"}`, one("Value '' at 'tableName'" + constraint + "Member must have length greater than or equal to 1")},
	{new(PutItemInput), `{"TableName":"` + name256 + `","Item":{}}`, one("Value '" + name256 + "' at 'tableName'" + constraint + "Member must have length less than or equal to 255")},
	{new(PutItemInput), `{"TableName":"bad table!@#","Item":{}}`, one("Value 'bad table!@#' at 'tableName'" + constraint + "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")},
	{new(PutItemInput), `{"TableName":"ab","Item":{}}`, ""},
	{new(PutItemInput), `{"TableName":"arn:aws:dynamodb:r:1:table/` + name256 + `","Item":{}}`, ""},
	{new(GetItemInput), `{"TableName":"arn:` + strings.Repeat("a", 1021) + `","Key":{}}`, one("Value 'arn:" + strings.Repeat("a", 1021) + "' at 'tableName'" + constraint + "Member must have length less than or equal to 1024")},
	{new(CreateTableInput), `{}`, "The parameter 'TableName' is required but was not present in the request"},
	{new(DescribeTableInput), `{"TableName":null}`, "The parameter 'TableName' is required but was not present in the request"},
	{new(CreateTableInput), `{"TableName":"ab","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`, one("Value 'ab' at 'tableName'" + constraint + "Member must have length greater than or equal to 3")},
	{new(CreateTableInput), `{"TableName":"","KeySchema":[],"AttributeDefinitions":[]}`, one("Value '' at 'tableName'" + constraint + "Member must have length greater than or equal to 3")},
	{new(RestoreTableFromBackupInput), `{"TargetTableName":"a b","BackupArn":"` + name256 + `"}`, one("Value 'a b' at 'targetTableName'" + constraint + "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")},
}

// enumSentences are about enums: in the service's order of values and of members.
var enumSentences = []sentence{
	{new(QueryInput), `{"TableName":"abc","Select":"INVALID_VALUE"}`, one("Value 'INVALID_VALUE' at 'select'" + constraint + "Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]")},
	{new(CreateTableInput), `{"TableName":"abc","KeySchema":[{"AttributeName":"pk","KeyType":"INVALID"}]}`, one("Value 'INVALID' at 'keySchema.1.member.keyType'" + constraint + "Member must satisfy enum value set: [HASH, RANGE]")},
	{new(CreateTableInput), `{"TableName":"abc","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"pk","AttributeType":"INVALID"}]}`, one("Value 'INVALID' at 'attributeDefinitions.2.member.attributeType'" + constraint + "Member must satisfy enum value set: [B, N, S]")},
	{new(PutItemInput), `{"TableName":"abc","Item":{},"ReturnItemCollectionMetrics":"c","ReturnValues":"b","ReturnConsumedCapacity":"a"}`,
		"3 validation errors detected: Value 'a' at 'returnConsumedCapacity'" + constraint + "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
			"Value 'b' at 'returnValues'" + constraint + "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; " +
			"Value 'c' at 'returnItemCollectionMetrics'" + constraint + "Member must satisfy enum value set: [SIZE, NONE]"},
	{new(UpdateItemInput), `{"TableName":"abc","Key":{},"ReturnConsumedCapacity":"a","ReturnValues":"b"}`, one("Value 'b' at 'returnValues'" + constraint + "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]")},
	{new(UpdateItemInput), `{"TableName":"","ConditionalOperator":"NOR","ReturnConsumedCapacity":"a"}`,
		"4 validation errors detected: Value 'a' at 'returnConsumedCapacity'" + constraint + "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; " +
			"Value '' at 'tableName'" + constraint + "Member must have length greater than or equal to 1; " +
			"Value 'NOR' at 'conditionalOperator'" + constraint + "Member must satisfy enum value set: [OR, AND]; " +
			"Value null at 'key'" + constraint + "Member must not be null"},
	{new(QueryInput), `{"TableName":"abc","ConditionalOperator":"NOR","Select":"x"}`, "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"},
	{new(UpdateItemInput), `{"TableName":"abc","Key":{},"AttributeUpdates":{"a":{"Action":"x"}}}`, one("Value 'x' at 'attributeUpdates.a.member.action'" + constraint + "Member must satisfy enum value set: [ADD, PUT, DELETE]")},
}

// numberSentences are about numbers.
var numberSentences = []sentence{
	{new(QueryInput), `{"TableName":"abc","Limit":0}`, one("Value at 'Limit'" + constraint + "Member must have value greater than or equal to 1")},
	{new(ScanInput), `{"TableName":"abc","Limit":0}`, one("Value '0' at 'limit'" + constraint + "Member must have value greater than or equal to 1")},
	{new(ScanInput), `{"TableName":"abc","Segment":1000000,"TotalSegments":1000001}`,
		"2 validation errors detected: Value '1000001' at 'totalSegments'" + constraint + "Member must have value less than or equal to 1000000; " +
			"Value '1000000' at 'segment'" + constraint + "Member must have value less than or equal to 999999"},
	{new(CreateTableInput), `{"TableName":"abc","ProvisionedThroughput":{"ReadCapacityUnits":0}}`,
		"2 validation errors detected: Value null at 'provisionedThroughput.writeCapacityUnits'" + constraint + "Member must not be null; " +
			"Value '0' at 'provisionedThroughput.readCapacityUnits'" + constraint + "Member must have value greater than or equal to 1"},
	{new(SearchVectorsInput), `{"TableName":"abc","IndexName":"idx","SearchVector":[{"N":"1"}],"TopK":0}`, ""},
}

// textSentences are about lengths of strings: in code points; an empty one is not echoed.
var textSentences = []sentence{
	{new(QueryInput), `{"TableName":"abc","IndexName":""}`, one("Value at 'IndexName'" + constraint + "Member must have length greater than or equal to 3")},
	{new(QueryInput), `{"TableName":"abc","IndexName":"x"}`, one("Value 'x' at 'indexName'" + constraint + "Member must have length greater than or equal to 3")},
	{new(CreateTableInput), `{"TableName":"abc","LocalSecondaryIndexes":[{"IndexName":"a","KeySchema":[{"AttributeName":"h","KeyType":"HASH"}],"Projection":{}}],"GlobalSecondaryIndexes":[{"IndexName":"b","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{}}]}`,
		"2 validation errors detected: Value 'b' at 'globalSecondaryIndexes.1.member.indexName'" + constraint + "Member must have length greater than or equal to 3; " +
			"Value 'a' at 'localSecondaryIndexes.1.member.indexName'" + constraint + "Member must have length greater than or equal to 3"},
	{new(UpdateTimeToLiveInput), `{"TableName":"abc","TimeToLiveSpecification":{"Enabled":true,"AttributeName":""}}`, one("Value '' at 'timeToLiveSpecification.attributeName'" + constraint + "Member must have length greater than or equal to 1")},
	{new(UpdateTableInput), `{"TableName":"abc","GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"gsi","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"NonKeyAttributes":["a",""]}}}]}`, one("Value '[a, ]' at 'globalSecondaryIndexUpdates.1.member.create.projection.nonKeyAttributes'" + constraint + "Member must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 1]")},
}

// containerSentences are about lists and maps.
var containerSentences = []sentence{
	{new(TransactWriteItemsInput), `{"TransactItems":[]}`, one("Value '[]' at 'transactItems'" + constraint + "Member must have length greater than or equal to 1")},
	{new(TransactGetItemsInput), `{"TransactItems":[{"Get":{"Key":{}}}]}`, one("Value null at 'transactItems.1.member.get.tableName'" + constraint + "Member must not be null")},
	{new(BatchExecuteStatementInput), `{"Statements":[]}`, one("Value '[]' at 'statements'" + constraint + "Member must have length greater than or equal to 1")},
	{new(BatchGetItemInput), `{"RequestItems":{}}`, one("Value at 'RequestItems'" + constraint + "Member must have length greater than or equal to 1")},
	{new(BatchWriteItemInput), `{"RequestItems":{}}`, "The requestItems parameter is required for BatchWriteItem"},
	{new(BatchGetItemInput), `{}`, one("Value null at 'requestItems'" + constraint + "Member must not be null")},
	{new(BatchGetItemInput), `{"RequestItems":{"abc":{"Keys":[` + strings.Repeat(`{},`, 100) + `{}]}}}`, one("Value at 'RequestItems.abc.member.Keys'" + constraint + "Member must have length less than or equal to 100")},
	{new(BatchGetItemInput), `{"RequestItems":{"abc":null}}`, one("Value null at 'requestItems.abc.member.keys'" + constraint + "Member must not be null")},
	{new(BatchGetItemInput), `{"RequestItems":{"a!":{"ConsistentRead":true,"Keys":[{}]}}}`, one("Value '{\"a!\":{\"Keys\":[{}],\"ConsistentRead\":true}}' at 'requestItems'" + constraint + "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]")},
	{new(BatchWriteItemInput), `{"RequestItems":{"abc":[{"PutRequest":{}}]}}`, one("Value null at 'requestItems.abc.member.1.member.putRequest.item'" + constraint + "Member must not be null")},
	{new(BatchWriteItemInput), `{"RequestItems":{"a!":[{}]}}`, one("Value '{a!=[WriteRequest()]}' at 'requestItems'" + constraint + "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]")},
	{new(BatchWriteItemInput), `{"RequestItems":{"a!":[{}]},"ReturnConsumedCapacity":"x"}`, one("Value 'x' at 'returnConsumedCapacity'" + constraint + "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]")},
	{new(BatchWriteItemInput), `{"RequestItems":{"abc":[]}}`, one("Value '{abc=[]}' at 'requestItems'" + constraint + "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")},
	{new(CreateTableInput), `{"TableName":"abc","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"},{"AttributeName":"c","KeyType":"RANGE"}]}`,
		one("Value '[KeySchemaElement(attributeName=a, keyType=HASH), KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, keyType=RANGE)]' at 'keySchema'" + constraint + "Member must have length less than or equal to 2")},
}

// otherServiceSentences come from the other services.
var otherServiceSentences = []sentence{
	{new(GetRecordsInput), `{"ShardIterator":"x","Limit":0}`, one("Value '0' at 'limit'" + constraint + "Member must have value greater than or equal to 1")},
	{new(DescribeStreamInput), `{"StreamArn":"short"}`, one("Value 'short' at 'streamArn'" + constraint + "Member must have length greater than or equal to 37")},
	{new(PutScheduledActionRequest), `{"ServiceNamespace":"dynamodb","ResourceId":"table/a","ScalableDimension":"dynamodb:table:ReadCapacityUnits","ScheduledActionName":" lead"}`,
		one("Value ' lead' at 'scheduledActionName'" + constraint + `Member must satisfy regular expression pattern: (?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+`)},
}

func TestValidateSentences(t *testing.T) {
	for _, cases := range [][]sentence{
		tableNameSentences, enumSentences, numberSentences, textSentences, containerSentences, otherServiceSentences,
	} {
		for _, c := range cases {
			if err := Parse([]byte(c.body), c.in); err != nil {
				t.Fatalf("%.200s: %v", c.body, err)
			}
			if got := message(t, c.in.Validate(), "ValidationException"); got != c.want {
				t.Errorf("%.200s\n got %s\nwant %s", c.body, got, c.want)
			}
		}
	}
}

// More than ten failures are not listed.
func TestValidateListsTen(t *testing.T) {
	in := new(CreateTableInput)
	body := `{"TableName":"abc","KeySchema":[{}],"AttributeDefinitions":[` + strings.Repeat(`{},`, 9) + `{}]}`
	if err := Parse([]byte(body), in); err != nil {
		t.Fatal(err)
	}
	got := message(t, in.Validate(), "ValidationException")
	if !strings.HasPrefix(got, "10 validation errors detected: ") || strings.Count(got, "; ") != 9 {
		t.Error(got)
	}
}

// What the failure of a large list or map echoes is bounded. All but JSON closes its brackets: the suite's patterns match it.
func TestValidateEchoesLists(t *testing.T) {
	var puts, writes []string
	for i := range 101 {
		puts = append(puts, fmt.Sprintf(`{"Put":{"TableName":"abc","Item":{"pk":{"S":"%0200d"}}}}`, i))
	}
	for i := range 26 {
		writes = append(writes, fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"bw-%d"}}}}`, i))
	}
	cases := []struct {
		in   Input
		body string
		want string
	}{
		{new(TransactWriteItemsInput), `{"TransactItems":[` + strings.Join(puts, ",") + `]}`,
			`^1 validation error detected: Value '\[.+\]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$`},
		{new(BatchGetItemInput), `{"RequestItems":{"a!":{"Keys":[{"pk":{"S":"` + strings.Repeat("é", 8000) + `"}}]}}}`,
			`^1 validation error detected: Value '\{"a!":\{"Keys":\[\{"pk":\{"S":"é+\.\.\.' at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: .+$`},
		{new(BatchWriteItemInput), `{"RequestItems":{"abc":[` + strings.Join(writes, ",") + `]}}`,
			`^1 validation error detected: Value '\{abc=\[.+\]\}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 25, Member must have length greater than or equal to 1\]$`},
	}
	for _, c := range cases {
		if err := Parse([]byte(c.body), c.in); err != nil {
			t.Fatal(err)
		}
		got := message(t, c.in.Validate(), "ValidationException")
		if !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s\ndoes not match %s", got, c.want)
		}
		if len(got) > 2*dumpBytesMax {
			t.Errorf("the message has %d bytes", len(got))
		}
	}
}

// Every pattern of the models compiles, and the one matched by hand agrees with its text.
func TestPatterns(t *testing.T) {
	patterns := []pattern{
		patternPrintable, patternPlainText, patternNoDollar, patternInsightsRule, patternCsvDelimiter, patternCsvHeader,
		patternHexBlocks, patternBucket, patternAccount, patternScalableTarget, patternActionName,
	}
	for _, p := range patterns {
		p.match("")
	}
	byHand := regexp.MustCompile(`^` + patternName.java + `$`)
	for c := range rune(300) {
		for _, value := range []string{string(c), "a" + string(c) + "b"} {
			if isName(value) != byHand.MatchString(value) {
				t.Errorf("isName(%q) is %v", value, isName(value))
			}
		}
	}
	if isName("") {
		t.Error("the empty string is no name")
	}
	for value, want := range map[string]bool{"nightly": true, "a b": true, " a": false, "a ": false, "a:b": false, "": false, "x": true} {
		if patternActionName.match(value) != want {
			t.Errorf("%q matches the name of a scheduled action: %v", value, !want)
		}
	}
}
