package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// ownRows lets a caller have the given actions on the rows that bear its name.
func ownRows(table, actions string) string {
	return statement("Allow", actions, `"`+tableARN+table+`"`,
		`,"Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${aws:username}"]}}`)
}

func TestPolicyOfTransactions(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	door := openSigned(t, false, map[string]string{"ann": ownRows(table, `["dynamodb:PutItem","dynamodb:ConditionCheckItem","dynamodb:GetItem"]`)})
	ann := door.as("ann")
	own, foreign := item{"pk": s("ann"), "sk": s("1")}, item{"pk": s("bob"), "sk": s("1")}

	check(t, ann.transact(putAction(table, own, ""), checkAction(table, keyOf("ann", "2"), "attribute_not_exists(pk)")))
	err := ann.transact(putAction(table, item{"pk": s("ann"), "sk": s("3")}, ""), putAction(table, foreign, ""))
	denied(t, err, "ann", "PutItem", tableARN+table, unspoken("PutItem"))
	err = ann.transact(checkAction(table, keyOf("bob", "1"), "attribute_not_exists(pk)"))
	denied(t, err, "ann", "ConditionCheckItem", tableARN+table, unspoken("ConditionCheckItem"))
	err = ann.transact(deleteAction(table, keyOf("ann", "1"), ""))
	denied(t, err, "ann", "DeleteItem", tableARN+table, unspoken("DeleteItem"))
	_, err = ann.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		getAction(table, keyOf("ann", "1")), getAction(table, keyOf("bob", "1")),
	}})
	denied(t, err, "ann", "GetItem", tableARN+table, unspoken("GetItem"))
	wantItem(t, c.get(table, keyOf("ann", "1")), own)
	wantItem(t, c.get(table, keyOf("ann", "3")), nil)
	wantItem(t, c.get(table, keyOf("bob", "1")), nil)
}

func TestPolicyOfStatements(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, item{"pk": s("ann"), "sk": s("1"), "v": s("a")}, item{"pk": s("bob"), "sk": s("1"), "v": s("b")})
	door := openSigned(t, false, map[string]string{"ann": ownRows(table, `["dynamodb:PartiQLSelect","dynamodb:PartiQLInsert"]`)})
	ann := door.as("ann")
	text := func(text string) *string { return c.statement(table, text).Statement }
	refused := func(action, statement string) {
		t.Helper()
		_, err := ann.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: text(statement)})
		denied(t, err, "ann", action, tableARN+table, unspoken(action))
	}
	if got := ann.run(table, `SELECT v FROM %T WHERE pk = 'ann'`); len(got) != 1 {
		t.Errorf("ann finds %d rows of its own, want 1", len(got))
	}
	refused("PartiQLSelect", `SELECT v FROM %T WHERE pk = 'bob'`)
	refused("PartiQLInsert", `INSERT INTO %T VALUE {'pk': 'bob', 'sk': '2'}`)
	refused("PartiQLDelete", `DELETE FROM %T WHERE pk = 'ann' AND sk = '1'`)

	// Of a batch the caller gets what it may have.
	out, err := ann.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: text(`SELECT v FROM %T WHERE pk = 'bob' AND sk = '1'`)}, {Statement: text(`SELECT v FROM %T WHERE pk = 'ann' AND sk = '1'`)},
	}})
	check(t, err)
	if e := out.Responses[0].Error; e == nil || e.Code != types.BatchStatementErrorCodeEnumAccessDenied || out.Responses[0].Item != nil {
		t.Fatalf("a denied statement answers %+v", out.Responses[0])
	}
	wantText(t, "why", *out.Responses[0].Error.Message, "User: "+userARN+"ann is not authorized to perform: dynamodb:PartiQLSelect on resource: "+
		tableARN+table+unspoken("PartiQLSelect"))
	wantItem(t, out.Responses[1].Item, item{"v": s("a")})
	out, err = ann.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
		{Statement: text(`INSERT INTO %T VALUE {'pk': 'bob', 'sk': '2'}`)}, {Statement: text(`INSERT INTO %T VALUE {'pk': 'ann', 'sk': '2'}`)},
	}})
	check(t, err)
	if out.Responses[0].Error == nil || out.Responses[1].Error != nil {
		t.Errorf("a batch of writes answers %+v", out.Responses)
	}
	wantItem(t, c.get(table, keyOf("ann", "2")), keyOf("ann", "2"))

	_, err = ann.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
		{Statement: text(`INSERT INTO %T VALUE {'pk': 'ann', 'sk': '3'}`)}, {Statement: text(`INSERT INTO %T VALUE {'pk': 'bob', 'sk': '3'}`)},
	}})
	denied(t, err, "ann", "PartiQLInsert", tableARN+table, unspoken("PartiQLInsert"))
	for _, key := range []item{keyOf("bob", "2"), keyOf("ann", "3"), keyOf("bob", "3")} {
		wantItem(t, c.get(table, key), nil)
	}
}

func TestPolicyOfAStream(t *testing.T) {
	st := stream(t, types.StreamViewTypeKeysOnly)
	st.put(st.table, item{"pk": s("a"), "sk": s("1")})
	door := openSigned(t, false, map[string]string{
		"reader": statement("Allow", `"dynamodb:GetRecords"`, `"`+tableARN+st.table+`/stream/*"`, ""),
		"writer": statement("Allow", `"dynamodb:*"`, `"`+tableARN+st.table+`"`, ""),
	})
	as := func(name string) *dynamodbstreams.Client {
		pair := door.pairs[name]
		return dynamodbstreams.New(dynamodbstreams.Options{
			Region: "us-east-1", BaseEndpoint: &door.endpoint, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(pair.AccessKeyID, pair.SecretAccessKey, ""),
		})
	}
	shard := st.shards()[0].ShardId
	in := &dynamodbstreams.GetRecordsInput{ShardIterator: st.iterator(shard, nil)}
	_, err := as("reader").GetRecords(ctx, in)
	check(t, err)
	_, err = as("writer").GetRecords(ctx, in)
	denied(t, err, "writer", "GetRecords", st.arn, unspoken("GetRecords"))
	_, err = as("reader").GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &st.arn, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	denied(t, err, "reader", "GetShardIterator", st.arn, unspoken("GetShardIterator"))
}
