package ops

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"stator/internal/base/clock"
	"stator/internal/cluster/txn"
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

// olderTable is newTable as it was before: another table of that name, or the same one while its index was being filled and without a
// stream.
func olderTable(anew bool) *table.Table {
	t := newTable()
	if anew {
		t.ID, t.Key = 39, keyOf("id", "")
		return t
	}
	t.Global = []table.Index{{ID: 41, Name: "byg", Key: keyOf("gh", ""), Projection: table.Projection{Kind: table.All}, Status: table.IndexCreating}}
	return t
}

// indexedTable is newTable as it is now.
func indexedTable() *table.Table {
	t := olderTable(false)
	t.Global[0].Status = table.IndexActive
	t.Global = append(t.Global, t.Global[0])
	t.Global[1].ID, t.Global[1].Name = 42, "more"
	t.Streams = []table.Stream{{CreatedMillis: 1000}}
	return t
}

// What a request is refused for may be so no more: the newest description is asked for before that is said. Where nobody can be
// asked, it is a fault.
func TestOldDescriptionRefusesNothing(t *testing.T) {
	const (
		aStream = "arn:aws:dynamodb:us-east-1:000000000000:table/new/stream/1970-01-01T00:00:01.000"
		aKey    = `"Key":{"pk":{"S":"a"}}`
		ofIndex = `"KeyConditionExpression":"gh=:p","ExpressionAttributeValues":{":p":{"S":"a"}}`
	)
	for _, c := range []struct{ name, body string }{
		{"Query", `{"TableName":"new","IndexName":"byg",` + ofIndex + `}`},
		{"Query", `{"TableName":"new","IndexName":"more",` + ofIndex + `}`},
		{"Scan", `{"TableName":"new","IndexName":"byg"}`},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM \"new\".\"byg\" WHERE gh='a'"}`},
		{"GetItem", `{"TableName":"new",` + aKey + `}`},
		{"PutItem", `{"TableName":"new","Item":{"pk":{"S":"a"}}}`},
		{"BatchGetItem", `{"RequestItems":{"new":{"Keys":[{"pk":{"S":"a"}}]}}}`},
		{"BatchWriteItem", `{"RequestItems":{"new":[{"DeleteRequest":{` + aKey + `}}]}}`},
		{"BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT * FROM \"new\" WHERE pk='a'"}]}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"new",` + aKey + `}}]}`},
		{"TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"new",` + aKey + `}}]}`},
		{"ExecuteTransaction", `{"TransactStatements":[{"Statement":"SELECT * FROM \"new\" WHERE pk='a'"}]}`},
		{"ExecuteTransaction", `{"TransactStatements":[{"Statement":"DELETE FROM \"new\" WHERE pk='a'"}]}`},
		{"DescribeStream", `{"StreamArn":"` + aStream + `"}`},
	} {
		for _, anew := range []bool{false, true} {
			if !anew && strings.Contains(c.body, "pk") {
				continue // what an index or a stream changes is nothing to requests for items
			}
			for _, unreachable := range []error{nil, errors.New("no leader")} {
				o, router := newTestOps(t)
				catalog := &tableCatalog{tables: []*table.Table{olderTable(anew)}, elsewhere: []*table.Table{indexedTable()}, unreachable: unreachable}
				router.StreamReader = &shardsElsewhere{catalog: catalog}
				o.catalog, o.transactions = catalog, &naiveTransactions{}
				calls := o.Calls()
				maps.Copy(calls, o.StreamCalls())
				out, err := calls[c.name](t.Context(), []byte(c.body), nil)
				_, isRefusal := errors.AsType[*api.Error](err)
				switch {
				case unreachable != nil && (err == nil || isRefusal):
					t.Errorf("%s, with nobody to ask: %v", c.body, err)
				case unreachable == nil && (err != nil || strings.Contains(string(out), "Error")):
					t.Errorf("%s: %v, %s", c.body, err, out)
				}
			}
		}
	}
}

// So it is with a shard of a partition that was split off elsewhere.
func TestShardBornElsewhere(t *testing.T) {
	o, router := newTestOps(t)
	o.account.Clock = clock.System{}
	catalog := &tableCatalog{tables: []*table.Table{indexedTable()}}
	router.StreamReader, o.catalog = &shardsElsewhere{catalog: catalog}, catalog
	s := openStream{table: indexedTable(), stream: &indexedTable().Streams[0]}
	s.arn = o.streamARN(s.table, s.stream)
	shard := command.ShardName{Partition: 7, Generation: 1}
	for asked, call := range []func() error{
		func() error {
			_, err := o.GetShardIterator(t.Context(), &api.GetShardIteratorInput{
				StreamArn: &s.arn, ShardId: ptr(shardID(shard)), ShardIteratorType: ptr(api.ShardIteratorTypeLatest),
			})
			return err
		},
		func() error {
			it := iterator{shard: shard, madeMillis: o.now().UnixMilli()}
			_, err := o.GetRecords(t.Context(), &api.GetRecordsInput{ShardIterator: ptr(it.encode(s))})
			return err
		},
	} {
		catalog.asked = 0
		if err := call(); err != nil || catalog.asked != 1 {
			t.Errorf("call %d: asked %d times, %v", asked, catalog.asked, err)
		}
	}
}

// shardsElsewhere has a shard once the catalog has asked.
type shardsElsewhere struct {
	StreamReader
	catalog *tableCatalog
}

func (s *shardsElsewhere) Shards(context.Context, uint64, int64) (command.ShardList, error) {
	return command.ShardList{Complete: true}, nil
}

func (s *shardsElsewhere) Shard(_ context.Context, at command.ShardPlace) (command.Shard, bool, error) {
	return command.Shard{Name: at.Name}, s.catalog.asked > 0, nil
}

func (s *shardsElsewhere) Changes(context.Context, command.LogPlan) (command.LogPage, error) {
	return command.LogPage{Trimmed: s.catalog.asked == 0}, nil
}

// naiveTransactions finds nothing.
type naiveTransactions struct{ Transactions }

func (*naiveTransactions) Write(_ context.Context, q txn.Request) (txn.Outcome, error) {
	return txn.Outcome{Results: make([]command.Result, len(q.Actions))}, nil
}

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
