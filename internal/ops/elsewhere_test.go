package ops

import (
	"context"
	"errors"
	"testing"

	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// newTable is one that another node has just made.
func newTable() *table.Table {
	t := hashTable()
	t.ID, t.Name = 40, "new"
	return t
}

// requests are some of each kind that name the table "new".
func requests(o *Ops) map[string]func(context.Context) error {
	call := func(name, body string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := o.Calls()[name](ctx, []byte(body), nil)
			return err
		}
	}
	return map[string]func(context.Context) error{
		"put":      call("PutItem", `{"TableName":"new","Item":{"pk":{"S":"a"}}}`),
		"get":      call("GetItem", `{"TableName":"new","Key":{"pk":{"S":"a"}}}`),
		"query":    call("Query", `{"TableName":"new","KeyConditionExpression":"pk=:p","ExpressionAttributeValues":{":p":{"S":"a"}}}`),
		"scan":     call("Scan", `{"TableName":"new"}`),
		"batch":    call("BatchGetItem", `{"RequestItems":{"new":{"Keys":[{"pk":{"S":"a"}}]}}}`),
		"live":     call("DescribeTimeToLive", `{"TableName":"new"}`),
		"policy":   call("GetResourcePolicy", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/new"}`),
		"tags":     call("ListTagsOfResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/new"}`),
		"select":   call("ExecuteStatement", `{"Statement":"SELECT * FROM \"new\" WHERE pk='a'"}`),
		"transact": call("ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT * FROM \"new\" WHERE pk='a'"}]}`),
	}
}

// A table that another node has just made is found, and asked for only when it is not here. Where nobody can be asked, that
// is a fault and not a table that does not exist.
func TestTableMadeElsewhere(t *testing.T) {
	for name := range requests(new(Ops)) {
		for _, unreachable := range []bool{false, true} {
			o, _ := newTestOps(t)
			catalog := &tableCatalog{tables: []*table.Table{hashTable()}, elsewhere: []*table.Table{newTable()}}
			o.catalog = catalog
			if unreachable {
				catalog.unreachable = errors.New("no leader")
			}
			o.transactions = &naiveTransactions{}
			err := requests(o)[name](t.Context())
			refused, isRefusal := errors.AsType[*api.Error](err)
			switch {
			case catalog.asked == 0:
				t.Errorf("%s: nobody was asked", name)
			case unreachable && (err == nil || isRefusal && refused.Status < 500):
				t.Errorf("%s, with nobody to ask: %v", name, err)
			case !unreachable && isRefusal && refused.Type == api.NewResourceNotFoundException("").Type && name != "policy":
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// naiveTransactions finds nothing.
type naiveTransactions struct{ Transactions }

func (*naiveTransactions) Read(_ context.Context, gets []command.Get) ([]command.Seen, []bool, error) {
	return make([]command.Seen, len(gets)), nil, nil
}

// What a partition has adopted and this node does not know yet is asked for before a request is planned again.
func TestPlannedAgainWithWhatIsNew(t *testing.T) {
	o, router := newTestOps(t)
	newer := hashTable()
	newer.Version = 2
	catalog := &tableCatalog{tables: []*table.Table{hashTable()}, elsewhere: []*table.Table{newer}}
	o.catalog, router.tables = catalog, []*table.Table{newer}
	router.refuse = func(c *command.Command) (command.Result, error) {
		if c.TableVersion < 2 {
			return command.Result{}, &command.StaleTable{Have: 2}
		}
		return command.Result{}, nil
	}
	put := o.Calls()["PutItem"]
	if _, err := put(t.Context(), []byte(`{"TableName":"hash","Item":{"pk":{"S":"a"}}}`), nil); err != nil || catalog.asked != 1 {
		t.Errorf("asked %d times, %v", catalog.asked, err)
	}
	if _, err := put(t.Context(), []byte(`{"TableName":"hash","Item":{"pk":{"S":"a"}}}`), nil); err != nil || catalog.asked != 1 {
		t.Errorf("the second time asked %d times, %v", catalog.asked, err)
	}
}
