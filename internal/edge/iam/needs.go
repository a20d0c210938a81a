package iam

import (
	"reflect"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// needs are all that a request needs, each of which must be granted.
func (g *Guard) needs(r *Request) ([]need, error) {
	if needs, ok := g.itemNeeds(r); ok {
		return needs, nil
	}
	if needs, ok := g.statementNeeds(r); ok {
		return needs, nil
	}
	switch in := r.Input.(type) {
	case *api.CreateTableInput:
		return g.createTable(r, in), nil
	case *api.GetRecordsInput:
		// The iterator begins with the stream's ARN.
		arn, _, _ := strings.Cut(*in.ShardIterator, "|")
		return []need{g.onResource(r.Action, arn)}, nil
	case *api.ListTablesInput:
		return []need{{action: r.Action, resource: table.ARN(g.Region, g.Account, "*")}}, nil
	case *api.ListTagsOfResourceInput:
		return []need{g.onResource(r.Action, *in.ResourceArn)}, nil
	}
	return []need{g.onNamed(r)}, nil
}

// createTable needs the actions that would do the same to the table once it is there.
func (g *Guard) createTable(r *Request, in *api.CreateTableInput) []need {
	needs := []need{g.onTable(r.Action, *in.TableName, nil)}
	if len(in.Tags) > 0 {
		needs = append(needs, g.onTable("dynamodb:TagResource", *in.TableName, nil))
	}
	if in.ResourcePolicy != nil {
		needs = append(needs, g.onTable("dynamodb:PutResourcePolicy", *in.TableName, nil))
	}
	return needs
}

// resourceMembers are the members by which operations on anything but items name what they are done to: the first that was
// sent counts. A table may be meant by its name or its ARN.
var resourceMembers = []string{
	"ResourceArn", "ResourceARN", "TableName", "TableArn", "SourceTableName", "SourceTableArn", "StreamArn", "BackupArn", "ExportArn", "ImportArn",
	"BulkOperationArn",
}

// onNamed needs the operation's action on what a member of its input names. There are some forty such inputs and they come
// seldom, so that they are looked into by the names of their members: one that is added to the API later is not forgotten.
// Lists are on no resource, whatever they are narrowed to.
func (g *Guard) onNamed(r *Request) need {
	if _, name, _ := strings.Cut(r.Action, ":"); strings.HasPrefix(name, "List") {
		return need{action: r.Action, resource: anywhere}
	}
	for _, member := range resourceMembers {
		named := text(r.Input, member)
		switch {
		case named == nil:
		case strings.HasSuffix(member, "Name"):
			return g.onTable(r.Action, *named, text(r.Input, "IndexName"))
		default:
			return g.onResource(r.Action, *named)
		}
	}
	return need{action: r.Action, resource: anywhere}
}

// text is a member of an input that is a text, nil when it was not sent or there is no such member.
func text(in api.Input, member string) *string {
	field := reflect.ValueOf(in).Elem().FieldByName(member)
	if !field.IsValid() {
		return nil
	}
	named, _ := field.Interface().(*string)
	return named
}
