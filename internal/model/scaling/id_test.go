package scaling

import "testing"

func TestParseID(t *testing.T) {
	for _, id := range []ID{{Table: "a.b-c"}, {Table: "t", Write: true}, {Table: "t", Index: "i"}, {Table: "t", Index: "i", Write: true}} {
		if got, ok := ParseID(id.Resource(), id.Dimension()); !ok || got != id {
			t.Errorf("%+v comes back as %+v, %v", id, got, ok)
		}
	}
	for _, named := range [][2]string{
		{"t", "dynamodb:table:ReadCapacityUnits"}, {"table/t", "dynamodb:index:ReadCapacityUnits"}, {"dynamo/t", "dynamodb:table:ReadCapacityUnits"},
		{"table/t/index/i", "dynamodb:table:WriteCapacityUnits"}, {"table/t", "ecs:service:DesiredCount"}, {"table/t/index/", "dynamodb:index:ReadCapacityUnits"},
	} {
		if id, ok := ParseID(named[0], named[1]); ok {
			t.Errorf("%v is taken for %+v", named, id)
		}
	}
}
