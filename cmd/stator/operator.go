package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-faster/jx"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/insight"
	"stator/internal/model/advice"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/cost"
	"stator/internal/node"
	partition "stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// operator performs the verbs of the admin door.
type operator struct {
	node  *node.Node
	calls map[string]api.Call
}

// Split implements admin.Operator.
func (o operator) Split(ctx context.Context, table string, at []byte) (string, error) {
	var suffix []byte
	if len(at) > 0 {
		var err error
		if suffix, err = o.suffix(ctx, table, at); err != nil {
			return "", err
		}
	}
	child, err := o.node.Split(ctx, table, suffix)
	no, unfit := errors.AsType[*partition.Unfit](err)
	switch {
	case unfit:
		return "", api.NewValidationException(no.Text)
	case err != nil:
		return "", missing(table, err)
	}
	return fmt.Sprintf("table %s was split: the right half is partition %d", table, child), nil
}

// suffix is where in the key order a primary key stands. The partition key alone is the beginning of its collection.
func (o operator) suffix(ctx context.Context, table string, at []byte) ([]byte, error) {
	decoder := jx.DecodeBytes(at)
	encoded, err := attr.DecodeMap(decoder, nil)
	key := attr.Map(encoded)
	if err != nil || key.Fault() != "" {
		return nil, api.NewValidationException("the key is not in the form of DynamoDB JSON, which is {\"name\": {\"S\": \"value\"}, ...}")
	}
	attributes, err := o.keyAttributes(ctx, table)
	if err != nil {
		return nil, err
	}
	var values [2][]attr.Value
	found := 0
	for i, a := range attributes {
		if value, ok := key.Get(a.name); ok && value.Type().String() == a.kind {
			values[i] = []attr.Value{value}
			found++
		}
	}
	if values[0] == nil || found != key.Len() {
		return nil, api.NewValidationException(fmt.Sprintf("the key of table %s consists of %s", table, attributes))
	}
	return keys.Suffix(values[0], values[1]), nil
}

// keyAttribute is a name and a type: S, N or B.
type keyAttribute struct{ name, kind string }

func (a keyAttribute) String() string { return fmt.Sprintf("%q (%s)", a.name, a.kind) }

// keyAttributes asks as a client would.
func (o operator) keyAttributes(ctx context.Context, table string) ([]keyAttribute, error) {
	body, err := json.Marshal(map[string]string{"TableName": table})
	if err != nil {
		return nil, fmt.Errorf("asking for the key of %s: %w", table, err)
	}
	answer, err := o.calls["DynamoDB_20120810.DescribeTable"](ctx, body, nil)
	if err != nil {
		return nil, err
	}
	var description struct {
		Table struct {
			KeySchema            []struct{ AttributeName string }
			AttributeDefinitions []struct{ AttributeName, AttributeType string }
		}
	}
	if err := json.Unmarshal(answer, &description); err != nil {
		return nil, fmt.Errorf("asking for the key of %s: %w", table, err)
	}
	kinds := map[string]string{}
	for _, d := range description.Table.AttributeDefinitions {
		kinds[d.AttributeName] = d.AttributeType
	}
	var attributes []keyAttribute
	for _, element := range description.Table.KeySchema {
		attributes = append(attributes, keyAttribute{element.AttributeName, kinds[element.AttributeName]})
	}
	return attributes, nil
}

// Workload implements admin.Operator.
func (o operator) Workload(ctx context.Context, table string) (cost.Workload, error) {
	return told(ctx, table, o.node.Workload)
}

// Use implements admin.Operator.
func (o operator) Use(ctx context.Context, table string) (advice.Use, error) {
	return told(ctx, table, o.node.Use)
}

// Throttles implements admin.Operator.
func (o operator) Throttles(ctx context.Context, table string) (insight.Explanation, error) {
	return told(ctx, table, o.node.Throttles)
}

// Heat implements admin.Operator.
func (o operator) Heat(ctx context.Context, table string) (insight.Ring, error) {
	return told(ctx, table, o.node.Heat)
}

// Contributors implements admin.Operator.
func (o operator) Contributors(ctx context.Context, table string) (insight.Report, error) {
	return told(ctx, table, o.node.Contributors)
}

// told is what the node tells about a table.
func told[A any](ctx context.Context, table string, tell func(ctx context.Context, table string) (A, error)) (A, error) {
	answer, err := tell(ctx, table)
	return answer, missing(table, err)
}

// missing says of a table that it is not there, if that is what err says.
func missing(table string, err error) error {
	if errors.Is(err, catalog.ErrMissing) {
		return api.NewResourceNotFoundException("there is no table " + table)
	}
	return err
}
