package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"stator/internal/cluster/router"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// echoRouter answers at once, so that what is measured is the operation from JSON to JSON.
type echoRouter struct {
	StreamReader
	item attr.Map
}

func (r *echoRouter) Write(context.Context, *command.Command) (command.Result, error) {
	return command.Result{Before: r.item, After: r.item}, nil
}

func (r *echoRouter) WriteAll(_ context.Context, commands []*command.Command) []router.Reply {
	return slices.Repeat([]router.Reply{{Result: command.Result{Before: r.item, After: r.item}}}, len(commands))
}

func (r *echoRouter) Read(context.Context, command.Get) (command.GetResult, error) {
	return command.GetResult{Item: r.item, Size: 1024}, nil
}

func (r *echoRouter) Scan(context.Context, command.Plan) (command.Page, error) {
	return command.Page{Items: []attr.Map{r.item}, Examined: 1, Matched: 1, Bytes: 1024}, nil
}

func BenchmarkOperations(b *testing.B) {
	var members []string
	for i := range 11 {
		members = append(members, fmt.Sprintf(`"attribute%d":{"S":%q}`, i, strings.Repeat("v", 75)))
	}
	item := `{"pk":{"S":"user#1"},` + strings.Join(members, ",") + `}`
	ops, _ := newTestOps(b)
	ops.router = &echoRouter{item: decoded(b, item)}
	calls := ops.Calls()
	for _, c := range []struct{ name, operation, body string }{
		{"PutItem", "PutItem", `{"TableName":"hash","Item":` + item + `}`},
		{"GetItem", "GetItem", `{"TableName":"hash","Key":{"pk":{"S":"user#1"}}}`},
		{"UpdateItem", "UpdateItem", `{"TableName":"hash","Key":{"pk":{"S":"user#1"}},"UpdateExpression":"ADD hits :one",` +
			`"ExpressionAttributeValues":{":one":{"N":"1"}}}`},
		{"BatchWriteItem", "BatchWriteItem", `{"RequestItems":{"hash":[` + strings.Join(puts(25, members), ",") + `]}}`},
		{"Query", "Query", `{"TableName":"hash","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"user#1"}}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			body, out := []byte(c.body), []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = calls[c.operation](context.Background(), body, out[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func puts(n int, members []string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"PutRequest":{"Item":{"pk":{"S":"user#%d"},%s}}}`, i, strings.Join(members, ","))
	}
	return all
}
