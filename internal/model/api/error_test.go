package api

import (
	"testing"

	"stator/internal/model/attr"
)

func TestErrorAppendJSON(t *testing.T) {
	item := attr.NewMap([]attr.Entry{{Name: "k", Value: attr.String("v")}})
	reasons := []ThrottlingReason{{Reason: pointer("TableReadKeyRangeThroughputExceeded"), Resource: pointer("arn")}}
	failed := NewConditionalCheckFailedException("The conditional request failed")
	failed.Item = item
	cancelled := NewTransactionCanceledException("Transaction cancelled")
	cancelled.CancellationReasons = []CancellationReason{{Code: pointer("None")}, {Code: pointer("ConditionalCheckFailed"), Item: item}}
	provisioned := NewProvisionedThroughputExceededException("slow")
	provisioned.ThrottlingReasons = reasons
	throttled := NewThrottlingException("slow")
	throttled.ThrottlingReasons = reasons
	missing := NewAutoScalingResourceNotFoundException("gone")
	missing.ResourceName = "arn"
	const reasonsJSON = `[{"reason":"TableReadKeyRangeThroughputExceeded","resource":"arn"}]}`
	cases := []struct {
		err    *Error
		status int
		want   string
	}{
		{NewValidationException("bad"), 400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"bad"}`},
		{NewSerializationException("bad"), 400, `{"__type":"com.amazon.coral.service#SerializationException","Message":"bad"}`},
		{NewSerializationException(""), 400, `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{NewUnknownOperationException(""), 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{NewAccessDeniedException("no"), 400, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}`},
		{NewResourceNotFoundException("gone"), 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"gone"}`},
		{NewInternalServerError("oh"), 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oh"}`},
		{NewInvalidEndpointException("oh"), 421, `{"__type":"com.amazonaws.dynamodb.v20120810#InvalidEndpointException","Message":"oh"}`},
		{NewTrimmedDataAccessException("old"), 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException","message":"old"}`},
		{failed, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":{"k":{"S":"v"}}}`},
		{cancelled, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Item":{"k":{"S":"v"}},"Code":"ConditionalCheckFailed"}]}`},
		{provisioned, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow","ThrottlingReasons":` + reasonsJSON},
		{throttled, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow","throttlingReasons":` + reasonsJSON},
		{missing, 404, `{"__type":"ResourceNotFoundException","Message":"gone","ResourceName":"arn"}`},
		{NewAutoScalingValidationException("bad"), 400, `{"__type":"ValidationException","Message":"bad"}`},
		{NewConcurrentUpdateException("later"), 500, `{"__type":"ConcurrentUpdateException","Message":"later"}`},
		{&Error{Type: "ResourceInUseException", Status: 400, Message: "busy"}, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException","message":"busy"}`},
		{&Error{Type: "Strange", Status: 400, Message: "busy"}, 400, `{"__type":"Strange","message":"busy"}`},
	}
	for _, c := range cases {
		if got := string(c.err.AppendJSON(nil)); got != c.want || c.err.Status != c.status {
			t.Errorf("\n got %d %s\nwant %d %s", c.err.Status, got, c.status, c.want)
		}
	}
}
