package conformance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// transaction is statements on one table, as a request without parameters.
func (c client) transaction(table string, statements ...string) *dynamodb.ExecuteTransactionInput {
	in := &dynamodb.ExecuteTransactionInput{}
	for _, text := range statements {
		in.TransactStatements = append(in.TransactStatements, types.ParameterizedStatement{Statement: c.statement(table, text).Statement})
	}
	return in
}

// cancelledFor fails the test unless the transaction was cancelled for reasons, which are codes, each with the message behind a colon if it matters.
func (c client) cancelledFor(table, reasons string, statements ...string) *types.TransactionCanceledException {
	c.t.Helper()
	_, err := c.ExecuteTransaction(ctx, c.transaction(table, statements...))
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		c.t.Errorf("%s: got %v, want a cancellation", statements[0], err)
		return &types.TransactionCanceledException{CancellationReasons: make([]types.CancellationReason, len(statements))}
	}
	var codes, messages []string
	for _, reason := range cancelled.CancellationReasons {
		codes = append(codes, *reason.Code)
		messages = append(messages, aws.ToString(reason.Message))
	}
	wantText(c.t, strings.Join(statements, "; "), strings.Join(codes, " "), reasons)
	c.t.Log(messages)
	return cancelled
}

func (c client) invalid(table, message string, statements ...string) {
	c.t.Helper()
	_, err := c.ExecuteTransaction(ctx, c.transaction(table, statements...))
	wantError(c.t, err, "ValidationException", message)
}

func TestTransactionsOfStatementsWrite(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"n": n("1")}), with(keyOf("q", "1"), item{"n": n("1"), "flag": s("right")}), keyOf("r", "1"))
	in := c.transaction(table, `INSERT INTO %T VALUE {'pk': 'new', 'sk': '1', 'x': 5}`, `UPDATE %T SET n = n + 1 WHERE pk = 'p' AND sk = '1' AND attribute_exists(n)`,
		`DELETE FROM %T WHERE pk = 'r' AND sk = '1'`, `EXISTS(SELECT * FROM %T WHERE (pk = 'q' AND sk = '1') AND flag = 'right' AND nope IS MISSING)`)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := c.ExecuteTransaction(ctx, in)
	check(t, err)
	if out.Responses == nil || len(out.Responses) != 0 {
		t.Errorf("responses %v, want an empty list", out.Responses)
	}
	if len(out.ConsumedCapacity) != 1 || *out.ConsumedCapacity[0].WriteCapacityUnits != 8 {
		t.Errorf("capacity %v", out.ConsumedCapacity)
	}
	wantItem(t, c.get(table, keyOf("new", "1")), with(keyOf("new", "1"), item{"x": n("5")}))
	wantItem(t, c.get(table, keyOf("p", "1")), with(keyOf("p", "1"), item{"n": n("2")}))
	if c.get(table, keyOf("r", "1")) != nil {
		t.Error("the deleted item is there")
	}

	// One that fails fails them all.
	refused := c.cancelledFor(table, "DuplicateItem None ConditionalCheckFailed ConditionalCheckFailed", `INSERT INTO %T VALUE {'pk': 'new', 'sk': '1'}`,
		`UPDATE %T SET n = 100 WHERE pk = 'p' AND sk = '1'`, `UPDATE %T SET n = 1 WHERE pk = 'missing' AND sk = '1'`,
		`EXISTS(SELECT * FROM %T WHERE pk = 'q' AND sk = '1' AND pk = 'p' AND flag = 'right')`)
	wantText(t, "its message", aws.ToString(refused.CancellationReasons[0].Message), "Duplicate primary key exists in table")
	wantItem(t, c.get(table, keyOf("p", "1")), with(keyOf("p", "1"), item{"n": n("2")}))
	c.cancelledFor(table, "ConditionalCheckFailed", `EXISTS(SELECT * FROM %T WHERE pk = 'missing' AND sk = '1' AND nope IS MISSING)`)
	shown := c.transaction(table, `UPDATE %T SET n = 1 WHERE pk = 'q' AND sk = '1' AND n = 7`)
	shown.TransactStatements[0].ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err = c.ExecuteTransaction(ctx, shown)
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || cancelled.CancellationReasons[0].Item["flag"] == nil {
		t.Errorf("%v without the item that failed", err)
	}
}

func TestTransactionsOfStatementsRead(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"n": n("1")}), with(keyOf("q", "1"), item{"n": n("2")}))
	in := c.transaction(table, `SELECT n FROM %T WHERE pk = 'p' AND sk = '1'`, `SELECT * FROM %T WHERE pk IN ['q'] AND sk IN ['1'] AND pk = 'q'`,
		`SELECT * FROM %T WHERE pk = 'nope' AND sk = '1'`, `SELECT nope FROM %T WHERE pk = 'p' AND sk = '2'`)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := c.ExecuteTransaction(ctx, in)
	check(t, err)
	got := ""
	for _, r := range out.Responses {
		got += showItem(r.Item) + " "
	}
	wantText(t, "responses", got, `{n:1} {n:2 pk:"q" sk:"1"} absent absent `)
	if len(out.ConsumedCapacity) != 1 || *out.ConsumedCapacity[0].ReadCapacityUnits != 8 {
		t.Errorf("capacity %v", out.ConsumedCapacity)
	}
	one := `SELECT * FROM %T WHERE pk = 'p' AND sk = '1'`
	c.invalid(table, "Transaction request cannot include multiple operations on one item", one, `SELECT n FROM %T WHERE sk = '1' AND pk = 'p'`)
	c.cancelledFor(table, "None None ValidationError", one, one, `SELECT * FROM %T WHERE pk = 1 AND sk = '1'`)
	const noKey = "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the primary key in the where clause."
	for _, where := range []string{`pk = 'p'`, `pk = 'p' AND sk = '1' AND n = 1`, `pk = 'p' AND sk = '1' AND pk = 'q'`, `pk IN ['q'] AND pk = 'p' AND sk = '1'`} {
		c.invalid(table, noKey, `SELECT * FROM %T WHERE `+where)
	}
	c.invalid(table, "ExecuteTransaction API does not support both read and write operations in the same request.", one, `DELETE FROM %T WHERE pk = 'q' AND sk = '1'`)
}

func TestTransactionsOfStatementsAreChecked(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	write := `UPDATE %T SET a = 1 WHERE pk = 'p' AND sk = '1'`
	for _, test := range []struct{ message, statement string }{
		{"Statement wasn't well formed, can't be processed: Unexpected term", `SELECT * FROM %T WHERE`},
		{"RETURNING clause is not supported in ExecuteTransaction.", write + ` RETURNING ALL NEW *`},
		{"Incorrect operand type for operator or function; operator or function: +, operand type: L", `UPDATE %T SET a = a + [1] WHERE pk = 'p' AND sk = '1'`},
		{"EXISTS() must contain a single item read with additional condition", `EXISTS(SELECT * FROM %T WHERE pk = 'p' AND sk = '1')`},
		{"EXISTS() must contain a single item read with additional condition", `EXISTS(SELECT * FROM %T WHERE pk IN ['p'] AND sk = '1' AND a = 1)`},
		{"EXISTS() must contain a single item read with additional condition", `EXISTS(SELECT * FROM %T)`},
		{"The IN operator is provided with too many operands; number of operands: 101", `DELETE FROM %T WHERE pk = 'p' AND sk = '1' AND a IN [` + strings.Repeat("1,", 100) + `1]`},
	} {
		c.invalid(table, "Validation failed in TransactStatements[1]: "+test.message, `DELETE FROM %T WHERE pk = 'q' AND sk = '1'`, test.statement)
	}
	c.invalid(table, "Validation failed in TransactStatements[0]: Overlapping conditions with range keys are not supported in where clause",
		`SELECT * FROM %T WHERE pk IN ['p', 'p'] AND sk = '1'`)
	c.invalid(table, "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions.", `SELECT * FROM %T."i" WHERE pk = 'p' AND sk = '1'`)
	c.invalid(table, "Transaction request cannot include multiple operations on one item", write, `DELETE FROM %T WHERE pk = 'p' AND sk = '1'`)

	// A bad parameter is told before any statement is looked at, and without its number.
	in := c.transaction(table, `SLECT * FROM %T`, `UPDATE %T SET a = ? WHERE pk = 'p' AND sk = '1'`)
	in.TransactStatements[1].Parameters = []value{ss()}
	_, err := c.ExecuteTransaction(ctx, in)
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: An string set  may not be empty")

	// Every write that names no one item is told; so is every table that is not there, once nothing else is wrong.
	c.cancelledFor(table, "ValidationError ValidationError ValidationError ValidationError ValidationError None", `UPDATE %T SET a = 1 WHERE pk = 'k'`,
		`UPDATE %T SET a = 1 WHERE pk IN ['k'] AND sk = '1'`, `DELETE FROM %T WHERE pk = 'k' AND sk = '1' AND pk = 'l'`, `DELETE FROM %T WHERE pk = 'k' AND sk = 1`,
		`INSERT INTO %T VALUE {'pk': 'k'}`, write)
	missing := `UPDATE "nowhere" SET a = 1 WHERE pk = 'p' AND sk = '1'`
	c.cancelledFor(table, "ResourceNotFound ResourceNotFound None", missing+` RETURNING ALL NEW *`, missing, write)
	c.invalid(table, "Validation failed in TransactStatements[1]: RETURNING clause is not supported in ExecuteTransaction.", missing, write+` RETURNING ALL NEW *`)
	_, err = c.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{}})
	wantError(t, err, "ValidationException")
}

func TestTransactionsOfStatementsAreRepeated(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"n": n("0")}))
	in := c.transaction(table, `UPDATE %T SET n = n + 1 WHERE pk = 'p' AND sk = '1'`)
	in.ClientRequestToken, in.ReturnConsumedCapacity = aws.String(fmt.Sprint("token-", table)), types.ReturnConsumedCapacityIndexes
	first, err := c.ExecuteTransaction(ctx, in)
	check(t, err)
	again, err := c.ExecuteTransaction(ctx, in)
	check(t, err)
	wantItem(t, c.get(table, keyOf("p", "1")), with(keyOf("p", "1"), item{"n": n("1")}))
	if w := first.ConsumedCapacity[0]; *w.WriteCapacityUnits != 2 || w.ReadCapacityUnits != nil {
		t.Errorf("the first cost %v, %v", w.WriteCapacityUnits, w.ReadCapacityUnits)
	}
	if r := again.ConsumedCapacity[0]; *r.ReadCapacityUnits != 2 || r.WriteCapacityUnits != nil {
		t.Errorf("the second cost %v, %v", r.WriteCapacityUnits, r.ReadCapacityUnits)
	}
	other := c.transaction(table, `UPDATE %T SET n = n + 2 WHERE pk = 'p' AND sk = '1'`)
	other.ClientRequestToken = in.ClientRequestToken
	_, err = c.ExecuteTransaction(ctx, other)
	wantError(t, err, "IdempotentParameterMismatchException")
}
