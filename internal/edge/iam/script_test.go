package iam_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/base/clock"
	"stator/internal/edge/iam"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/policy"
	"stator/internal/model/table"
)

// catalog is the tables that a script knows.
type catalog map[string]*table.Table

func (c catalog) Table(name string) (*table.Table, bool) {
	t, ok := c[name]
	return t, ok
}

func hash(name string, kind attr.Type) table.Key {
	return table.Key{Hash: []table.KeyAttribute{{Name: name, Type: kind}}}
}

// room is what a script plays with: tables shop (pk, S; local index by-day, global index by-owner on owner) and numbers (pk, N).
type room struct {
	tables  catalog
	callers map[string]*sigv4.Caller
	guard   *iam.Guard
}

func newRoom(required bool) *room {
	r := &room{callers: map[string]*sigv4.Caller{}, tables: catalog{
		"shop": {
			Name: "shop", Key: hash("pk", attr.S), Local: []table.Index{{Name: "by-day", Key: hash("pk", attr.S)}},
			Global: []table.Index{{Name: "by-owner", Key: hash("owner", attr.S)}},
		},
		"numbers": {Name: "numbers", Key: hash("pk", attr.N)},
	}}
	r.guard = iam.New(iam.Options{
		Tables: r.tables, Region: "us-east-1", Account: "000000000000", Required: required,
		Clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
	})
	return r
}

// inputs make the input of an operation.
var inputs = map[string]func() api.Input{
	"GetItem":               func() api.Input { return &api.GetItemInput{} },
	"PutItem":               func() api.Input { return &api.PutItemInput{} },
	"UpdateItem":            func() api.Input { return &api.UpdateItemInput{} },
	"DeleteItem":            func() api.Input { return &api.DeleteItemInput{} },
	"Query":                 func() api.Input { return &api.QueryInput{} },
	"Scan":                  func() api.Input { return &api.ScanInput{} },
	"BatchGetItem":          func() api.Input { return &api.BatchGetItemInput{} },
	"BatchWriteItem":        func() api.Input { return &api.BatchWriteItemInput{} },
	"TransactGetItems":      func() api.Input { return &api.TransactGetItemsInput{} },
	"TransactWriteItems":    func() api.Input { return &api.TransactWriteItemsInput{} },
	"CreateTable":           func() api.Input { return &api.CreateTableInput{} },
	"DescribeTable":         func() api.Input { return &api.DescribeTableInput{} },
	"ListTables":            func() api.Input { return &api.ListTablesInput{} },
	"ListStreams":           func() api.Input { return &api.ListStreamsInput{} },
	"DescribeLimits":        func() api.Input { return &api.DescribeLimitsInput{} },
	"ListTagsOfResource":    func() api.Input { return &api.ListTagsOfResourceInput{} },
	"TagResource":           func() api.Input { return &api.TagResourceInput{} },
	"UntagResource":         func() api.Input { return &api.UntagResourceInput{} },
	"PutResourcePolicy":     func() api.Input { return &api.PutResourcePolicyInput{} },
	"DescribeStream":        func() api.Input { return &api.DescribeStreamInput{} },
	"ExecuteStatement":      func() api.Input { return &api.ExecuteStatementInput{} },
	"BatchExecuteStatement": func() api.Input { return &api.BatchExecuteStatementInput{} },
	"ExecuteTransaction":    func() api.Input { return &api.ExecuteTransactionInput{} },
	"GetRecords":            func() api.Input { return &api.GetRecordsInput{} },
}

// The scripts in testdata know
//
//	caller NAME                  binds NAME to the policy below, and to none if there is none
//	attach TABLE [LABEL]         attaches the policy below to the table, or to the table's stream
//	tag TABLE NAME=TEXT [LABEL]  gives the table, or the table's stream, this tag alone
//	require                      from here on a caller without a policy may do nothing
//	OPERATION CALLER [from=IP]   the caller asks for the operation with the input below
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		r := newRoom(false)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "caller":
				return r.bind(t, d)
			case "attach":
				return r.attach(d)
			case "tag":
				return r.tag(d)
			case "require":
				callers := r.callers
				r = newRoom(true)
				r.callers = callers
				return ""
			}
			return r.ask(t, d)
		})
	})
}

func (r *room) bind(t *testing.T, d *datadriven.TestData) string {
	c := &sigv4.Caller{Name: d.CmdArgs[0].Key}
	r.callers[c.Name] = c
	if d.Input == "" {
		return ""
	}
	document, err := policy.Parse(policy.Identity, []byte(d.Input))
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	c.Policy = document
	return ""
}

func (r *room) attach(d *datadriven.TestData) string {
	label := ""
	if len(d.CmdArgs) > 1 {
		label = d.CmdArgs[1].Key
	}
	name := d.CmdArgs[0].Key
	r.tables[name] = r.tables[name].WithPolicy(label, d.Input, 1)
	return ""
}

func (r *room) tag(d *datadriven.TestData) string {
	name, tag, label := d.CmdArgs[0].Key, d.CmdArgs[1], ""
	if len(d.CmdArgs) > 2 {
		label = d.CmdArgs[2].Key
	}
	t := r.tables[name].Clone()
	if _, ok := t.StreamByLabel(label); label != "" && !ok {
		at, err := time.Parse("2006-01-02T15:04:05.000", label)
		if err != nil {
			return err.Error()
		}
		t.Streams = append(t.Streams, table.Stream{CreatedMillis: at.UnixMilli(), View: table.ViewKeys})
	}
	r.tables[name] = t.WithTags(label, map[string]string{tag.Key: tag.Vals[0]})
	return ""
}

func (r *room) ask(t *testing.T, d *datadriven.TestData) string {
	made, ok := inputs[d.Cmd]
	if !ok {
		t.Fatalf("%s: no operation %s", d.Pos, d.Cmd)
	}
	in := made()
	if err := errors.Join(api.Parse([]byte(d.Input), in), in.Validate()); err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	request := iam.Request{Caller: r.callers[d.CmdArgs[0].Key], Action: "dynamodb:" + d.Cmd, Input: in}
	var from string
	if d.MaybeScanArgs(t, "from", &from) {
		request.Remote = &net.TCPAddr{IP: net.ParseIP(from), Port: 4711}
	}
	err := r.guard.Authorize(request)
	var refused *api.Error
	switch {
	case err == nil:
		return "granted\n" + exceptions(in)
	case errors.As(err, &refused):
		return told(refused)
	default:
		return "fault: " + err.Error() + "\n"
	}
}

// exceptions are the statements of a batch that are not granted with the others.
func exceptions(in api.Input) string {
	batch, ok := in.(*api.BatchExecuteStatementInput)
	if !ok {
		return ""
	}
	var text strings.Builder
	for i := range batch.Statements {
		if denied := batch.Statements[i].Denied; denied != nil {
			fmt.Fprintf(&text, "but statement %d: %s", i, told(denied))
		}
	}
	return text.String()
}

func told(e *api.Error) string {
	return strings.Replace(string(e.AppendJSON(nil)), `,"Message"`, ",\n \"Message\"", 1) + "\n"
}
