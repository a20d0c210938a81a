package api

import (
	"context"
	"errors"
	"testing"
)

const (
	getItemBody = `{"TableName":"Music","Key":{"Artist":{"S":"No One You Know"},"SongTitle":{"S":"Call Me Today"}},` +
		`"ConsistentRead":true,"ReturnConsumedCapacity":"TOTAL"}`
	putItemBody = `{"TableName":"Music","Item":{"Artist":{"S":"No One You Know"},"SongTitle":{"S":"Call Me Today"},` +
		`"Year":{"N":"2015"},"Tags":{"SS":["rock","live"]}},"ConditionExpression":"attribute_not_exists(Artist)","ReturnValues":"ALL_OLD"}`
)

func TestBind(t *testing.T) {
	fault := errors.New("the disk is gone")
	call := Bind(func(_ context.Context, in *ListTablesInput) (*ListTablesOutput, error) {
		switch {
		case in.ExclusiveStartTableName == nil:
			return &ListTablesOutput{TableNames: []string{"a", "b"}}, nil
		case *in.ExclusiveStartTableName == "fault":
			return nil, fault
		}
		return nil, NewResourceNotFoundException("gone")
	})
	cases := []struct{ body, want, err string }{
		{`{}`, `>{"TableNames":["a","b"]}`, ""},
		{`{"Limit":"1"}`, ">", "SerializationException: STRING_VALUE cannot be converted to Integer"},
		{`nonsense`, ">", "SerializationException"},
		{`{"Limit":0}`, ">", "ValidationException: 1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{`{"ExclusiveStartTableName":"other"}`, ">", "ResourceNotFoundException: gone"},
		{`{"ExclusiveStartTableName":"fault"}`, ">", "the disk is gone"},
	}
	for _, c := range cases {
		out, err := call(t.Context(), []byte(c.body), []byte(">"))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if string(out) != c.want || text != c.err {
			t.Errorf("%s: %s, %q", c.body, out, text)
		}
	}
}

func TestBindOfAnEmptyAnswer(t *testing.T) {
	call := Bind(func(context.Context, *TagResourceInput) (*TagResourceOutput, error) { return &TagResourceOutput{}, nil })
	out, err := call(t.Context(), []byte(`{"ResourceArn":"arn:aws:dynamodb:a:b:table/c","Tags":[]}`), nil)
	if err != nil || len(out) != 0 {
		t.Errorf("%q, %v", out, err)
	}
}

// The hot path's allocations are those of what the input keeps: the structure, strings, maps of attributes.
func TestParseAllocations(t *testing.T) {
	get, put := []byte(getItemBody), []byte(putItemBody)
	cases := []struct {
		name string
		max  float64
		run  func() error
	}{
		{"GetItem", 7, func() error { return parseAndValidate(get, new(GetItemInput)) }},
		{"PutItem", 10, func() error { return parseAndValidate(put, new(PutItemInput)) }},
	}
	for _, c := range cases {
		got := testing.AllocsPerRun(100, func() {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		})
		if got > c.max {
			t.Errorf("%s costs %.0f allocations, more than %.0f", c.name, got, c.max)
		}
	}
}

func parseAndValidate(body []byte, in Input) error {
	if err := Parse(body, in); err != nil {
		return err
	}
	return in.Validate()
}

func BenchmarkParseGetItem(b *testing.B) {
	body := []byte(getItemBody)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := parseAndValidate(body, new(GetItemInput)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePutItem(b *testing.B) {
	body := []byte(putItemBody)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := parseAndValidate(body, new(PutItemInput)); err != nil {
			b.Fatal(err)
		}
	}
}
