package api

import (
	"testing"

	"stator/internal/model/attr"
)

func pointer[T any](v T) *T { return &v }

func TestAppendJSON(t *testing.T) {
	item := attr.NewMap([]attr.Entry{{Name: "k", Value: attr.String("v")}})
	cases := []struct {
		out  Output
		want string
	}{
		{&GetItemOutput{}, `{}`},
		{&GetItemOutput{Item: attr.EmptyMap}, `{"Item":{}}`},
		{&GetItemOutput{Item: item, ConsumedCapacity: &ConsumedCapacity{TableName: pointer("t"), CapacityUnits: pointer(0.5)}},
			`{"Item":{"k":{"S":"v"}},"ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5}}`},
		{&ScanOutput{Items: []attr.Map{}, Count: pointer(int64(0))}, `{"Items":[],"Count":0}`},
		{&ScanOutput{Items: []attr.Map{item, attr.EmptyMap}, ConsumedCapacity: &ConsumedCapacity{CapacityUnits: pointer(128.0)}},
			`{"Items":[{"k":{"S":"v"}},{}],"ConsumedCapacity":{"CapacityUnits":128.0}}`},
		{&BatchGetItemOutput{
			Responses:       map[string][]attr.Map{"b": {item}, "a": {}},
			UnprocessedKeys: map[string]KeysAndAttributes{},
		}, `{"Responses":{"a":[],"b":[{"k":{"S":"v"}}]},"UnprocessedKeys":{}}`},
		{&DescribeTableOutput{Table: &TableDescription{
			TableName: pointer("a\"\n<é>"), CreationDateTime: pointer(1.7e9), ItemCount: pointer(int64(12345678901)),
			DeletionProtectionEnabled: pointer(false),
			ProvisionedThroughput:     &ProvisionedThroughputDescription{LastIncreaseDateTime: pointer(1700000000.1239)},
		}}, `{"Table":{"TableName":"a\"\n<é>","CreationDateTime":1700000000,"ProvisionedThroughput":{"LastIncreaseDateTime":1700000000.124},` +
			`"ItemCount":12345678901,"DeletionProtectionEnabled":false}}`},
		{&ListTablesOutput{TableNames: []string{"a", "b"}}, `{"TableNames":["a","b"]}`},
		{&GetRecordsOutput{Records: []Record{{EventID: pointer("1"), Dynamodb: &StreamRecord{Keys: item, SizeBytes: pointer(int64(3))}, UserIdentity: &Identity{PrincipalId: pointer("p")}}}},
			`{"Records":[{"eventID":"1","dynamodb":{"Keys":{"k":{"S":"v"}},"SizeBytes":3},"userIdentity":{"PrincipalId":"p"}}]}`},
		{&PutItemOutput{ItemCollectionMetrics: &ItemCollectionMetrics{ItemCollectionKey: item, SizeEstimateRangeGB: []float64{0, 1}}},
			`{"ItemCollectionMetrics":{"ItemCollectionKey":{"k":{"S":"v"}},"SizeEstimateRangeGB":[0.0,1.0]}}`},
		{&TagResourceOutput{}, ``},
		{&TagResourceResponse{}, `{}`},
	}
	for _, c := range cases {
		if got := string(c.out.AppendJSON([]byte("x"))); got != "x"+c.want {
			t.Errorf("\n got %s\nwant x%s", got, c.want)
		}
	}
}

func TestAppendNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 1: "1.0", 0.5: "0.5", 1e21: "1000000000000000000000.0", -2.25: "-2.25", 1e-7: "0.0000001"} {
		if got := string(appendDouble(nil, v)); got != want {
			t.Errorf("%g is written as the double %s", v, got)
		}
	}
	for v, want := range map[float64]string{0: "0", 1.7e9: "1700000000", 1700000000.5: "1700000000.5", 1700000000.0004: "1700000000", -1: "-1"} {
		if got := string(appendTimestamp(nil, v)); got != want {
			t.Errorf("%g is written as the timestamp %s", v, got)
		}
	}
}
