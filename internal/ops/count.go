package ops

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"stator/internal/base/metric"
	"stator/internal/model/api"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// Counted are the operations whose requests are counted by the tables they name, in the order of their numbers.
var Counted = []string{
	"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems",
	"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", "GetRecords",
}

// counted is a call of one of them.
func counted[I any, P interface {
	*I
	api.Input
}, O api.Output](o *Ops, operation string, handle func(context.Context, P) (O, error)) api.Call {
	number := slices.Index(Counted, operation)
	return api.Bind(func(ctx context.Context, in P) (O, error) {
		if o.account.Requests == nil {
			return handle(ctx, in)
		}
		began := o.now()
		out, err := handle(ctx, in)
		o.count(number, in, answered{out: out, err: err, took: o.now().Sub(began)})
		return out, err
	})
}

// answered is what became of a request.
type answered struct {
	out  any
	err  error
	took time.Duration
}

// count counts a request once at each table that it names and that there is.
func (o *Ops) count(operation int, in any, a answered) {
	o.eachTable(in, func(name string) {
		t, ok := o.catalog.Table(o.tableName(name))
		if !ok {
			return
		}
		served := o.account.Requests.Table(t.ID).Operation(operation)
		refused, isRefused := errors.AsType[*api.Error](a.err)
		switch {
		case a.err == nil:
			served.Latency.Observe(a.took)
			countAnswer(served, a.out)
		case !isRefused:
			served.Faults.Add(1)
		case isThrottled(refused) || cancelledForThroughput(refused):
			served.Throttled.Add(1)
		}
	})
}

// cancelledForThroughput tells whether a transaction was not performed because an action was throttled.
func cancelledForThroughput(refused *api.Error) bool {
	return slices.ContainsFunc(refused.CancellationReasons, func(r api.CancellationReason) bool {
		return *r.Code == reasonProvisioned || *r.Code == reasonThrottling
	})
}

// eachTable visits the tables that a request names, as the request calls them, each name once.
func (o *Ops) eachTable(in any, visit func(name string)) {
	switch in := in.(type) {
	case *api.PutItemInput:
		visit(*in.TableName)
	case *api.GetItemInput:
		visit(*in.TableName)
	case *api.UpdateItemInput:
		visit(*in.TableName)
	case *api.DeleteItemInput:
		visit(*in.TableName)
	case *api.QueryInput:
		visit(*in.TableName)
	case *api.ScanInput:
		visit(*in.TableName)
	case *api.BatchGetItemInput:
		for name := range in.RequestItems {
			visit(name)
		}
	case *api.BatchWriteItemInput:
		for name := range in.RequestItems {
			visit(name)
		}
	case *api.GetRecordsInput:
		arn, _, _ := strings.Cut(*in.ShardIterator, iteratorFormat)
		name, _, err := o.splitStreamARN(arn)
		if err == nil {
			visit(name)
		}
	case *api.ExecuteStatementInput:
		visit(in.Table)
	default:
		for _, name := range slices.Compact(slices.Sorted(slices.Values(tablesOfMany(in)))) {
			visit(name)
		}
	}
}

// tablesOfMany is what the parts of a request of many call their tables.
func tablesOfMany(in any) (names []string) {
	switch in := in.(type) {
	case *api.TransactGetItemsInput:
		for i := range in.TransactItems {
			names = append(names, *in.TransactItems[i].Get.TableName)
		}
	case *api.TransactWriteItemsInput:
		for i := range in.TransactItems {
			names = append(names, tableOfAction(&in.TransactItems[i]))
		}
	case *api.BatchExecuteStatementInput:
		for i := range in.Statements {
			names = append(names, in.Statements[i].Table)
		}
	case *api.ExecuteTransactionInput:
		for i := range in.TransactStatements {
			names = append(names, in.TransactStatements[i].Table)
		}
	}
	return names
}

func tableOfAction(a *api.TransactWriteItem) string {
	switch {
	case a.Put != nil:
		return *a.Put.TableName
	case a.Update != nil:
		return *a.Update.TableName
	case a.Delete != nil:
		return *a.Delete.TableName
	case a.ConditionCheck != nil:
		return *a.ConditionCheck.TableName
	}
	return ""
}

// countSizes counts items that were read or written, by the bytes that they have together.
func (o *Ops) countSizes(t *table.Table, kind capacity.Kind, items, bytes int64) {
	if o.account.Requests == nil {
		return
	}
	sizes := &o.account.Requests.Table(t.ID).Read
	if kind == capacity.Writes {
		sizes = &o.account.Requests.Table(t.ID).Written
	}
	sizes.Observe(items, bytes)
}

// countScan counts a statement that walked all of a table or an index beside the operation's own scans.
func (o *Ops) countScan(t *table.Table, page *statementPage) {
	if o.account.Requests == nil {
		return
	}
	scans := &o.account.Requests.Table(t.ID).StatementScans
	scans.Requests.Add(1)
	scans.Examined.Add(int64(page.examined))
	scans.Returned.Add(int64(len(page.items)))
}

// countAnswer counts how many items or records an answer shows of what was searched, their bytes, and how many were looked at.
func countAnswer(served *metric.Served, out any) {
	switch out := out.(type) {
	case *api.QueryOutput:
		served.Returned.Add(*out.Count)
		served.Examined.Add(*out.ScannedCount)
	case *api.ScanOutput:
		served.Returned.Add(*out.Count)
		served.Examined.Add(*out.ScannedCount)
	case *api.ExecuteStatementOutput:
		served.Returned.Add(int64(len(out.Items)))
	case *api.GetRecordsOutput:
		served.Returned.Add(int64(len(out.Records)))
		for i := range out.Records {
			served.Bytes.Add(*out.Records[i].Dynamodb.SizeBytes)
		}
	}
}
