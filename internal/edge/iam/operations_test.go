package iam_test

import (
	"reflect"
	"strings"
	"testing"

	"stator/internal/edge/iam"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
	"stator/internal/model/policy"
	"stator/internal/ops"
)

// An operation that is added to the server is one that policies can speak of, and what it names is what they are asked about.
func TestEveryOperationNeedsWhatItNames(t *testing.T) {
	r := newRoom(true)
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/named"
	for _, name := range ops.Built() {
		document, err := policy.Parse(policy.Identity, []byte(
			`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"dynamodb:`+name+`","Resource":"*"}}`))
		if err != nil {
			t.Errorf("no policy can speak of %s: %v", name, err)
			continue
		}
		method, ok := reflect.TypeFor[*ops.Ops]().MethodByName(name)
		if !ok {
			t.Fatalf("%s is not a method of its name", name)
		}
		in := reflect.New(method.Type.In(2).Elem())
		named := false
		for member, value := range map[string]string{"TableName": "named", "ResourceArn": arn, "TableArn": arn, "StreamArn": arn + "/stream/x"} {
			field := in.Elem().FieldByName(member)
			if field.IsValid() && field.Type() == reflect.TypeFor[*string]() {
				field.Set(reflect.ValueOf(&value))
				named = named || !strings.HasPrefix(name, "List") || name == "ListTagsOfResource"
			}
		}
		if !named {
			continue
		}
		err = r.guard.Authorize(iam.Request{
			Caller: &sigv4.Caller{Name: "a", Policy: document}, Action: "dynamodb:" + name, Input: in.Interface().(api.Input),
		})
		if err == nil || !strings.Contains(err.Error(), "on resource: "+arn) {
			t.Errorf("%s on %s: %v", name, arn, err)
		}
	}
}

func TestPoliciesKnowEveryOperation(t *testing.T) {
	for _, operation := range api.Operations {
		if operation.Signing != "dynamodb" {
			continue
		}
		text := `{"Statement":{"Effect":"Allow","Action":"dynamodb:` + operation.Name + `","Resource":"*"}}`
		if _, err := policy.Parse(policy.Identity, []byte(text)); err != nil {
			t.Errorf("%s: %v", operation.Name, err)
		}
	}
}
