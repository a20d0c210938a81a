package api

import "testing"

func TestOperations(t *testing.T) {
	counts := map[string]int{}
	for i := range Operations {
		op := &Operations[i]
		counts[op.Service]++
		if found, ok := Lookup(op.Target); !ok || found != op {
			t.Errorf("Lookup(%q) finds %v", op.Target, found)
		}
	}
	if counts["dynamodb"] != 62 || counts["dynamodb-streams"] != 4 || counts["application-autoscaling"] != 14 {
		t.Errorf("operations by service: %v", counts)
	}
	for _, target := range []string{"", "PutItem", "DynamoDB_20120810.", "dynamodb_20120810.PutItem", "DynamoDB_20111205.PutItem"} {
		if op, ok := Lookup(target); ok {
			t.Errorf("Lookup(%q) finds %v", target, op)
		}
	}
	get, _ := Lookup("DynamoDB_20120810.GetItem")
	put, _ := Lookup("DynamoDB_20120810.PutItem")
	tag, _ := Lookup("AnyScaleFrontendService.TagResource")
	if !get.ReadOnly || put.ReadOnly || put.Signing != "dynamodb" || put.ContentType != "application/x-amz-json-1.0" {
		t.Errorf("%+v, %+v", get, put)
	}
	if tag.Signing != "application-autoscaling" || tag.ContentType != "application/x-amz-json-1.1" {
		t.Errorf("%+v", tag)
	}
}
