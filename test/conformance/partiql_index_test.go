package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// statementIndexes is a table with indexes of every kind of projection, and items of which one is in no index.
func statementIndexes(c client) string {
	c.t.Helper()
	include := &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"x"}}
	keysOnly := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S", "g2", "S", "r", "S", "l", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
			globalIndex("g-all", key("g"), projectAll()), globalIndex("g-inc", key("g"), include), globalIndex("g-keys", key("g"), keysOnly),
			globalIndex("g-multi", []types.KeySchemaElement{
				{AttributeName: aws.String("g"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("g2"), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String("r"), KeyType: types.KeyTypeRange},
			}, projectAll()),
		}
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{
			{IndexName: aws.String("l-all"), KeySchema: key("pk", "l"), Projection: projectAll()},
			{IndexName: aws.String("l-inc"), KeySchema: key("pk", "l"), Projection: include},
			{IndexName: aws.String("l-keys"), KeySchema: key("pk", "l"), Projection: keysOnly},
		}
	})
	for sk, g := range map[string]string{"1": "a", "2": "b", "4": "a"} {
		c.put(table, with(keyOf("p", sk), item{"g": s(g), "l": s("l" + sk), "x": s("x" + sk), "y": s("y" + sk)}))
	}
	c.put(table, with(keyOf("p", "3"), item{"y": s("y3")}))
	for _, index := range []string{"g-all", "g-inc", "g-keys"} {
		c.settles(table, index, "g", s("a"), "1 4")
		c.settles(table, index, "g", s("b"), "2")
	}
	return table
}

// from puts an index behind the table.
func from(index, rest string) string { return strings.ReplaceAll(rest, "%I", `%T."`+index+`"`) }

func TestStatementsReadIndexes(t *testing.T) {
	c := connect(t)
	table := statementIndexes(c)
	for _, test := range []struct{ index, statement, want string }{
		{"g-all", `SELECT * FROM %I WHERE g = 'a'`, "{g:\"a\" l:\"l1\" pk:\"p\" sk:\"1\" x:\"x1\" y:\"y1\"}{g:\"a\" l:\"l4\" pk:\"p\" sk:\"4\" x:\"x4\" y:\"y4\"}"},
		{"g-inc", `SELECT * FROM %I WHERE g = 'b'`, "{g:\"b\" pk:\"p\" sk:\"2\" x:\"x2\"}"},
		{"g-keys", `SELECT * FROM %I WHERE g = 'b'`, "{g:\"b\" pk:\"p\" sk:\"2\"}"},
		{"l-keys", `SELECT * FROM %I WHERE pk = 'p' AND l > 'l1' ORDER BY l DESC`, "{l:\"l4\" pk:\"p\" sk:\"4\"}{l:\"l2\" pk:\"p\" sk:\"2\"}"},
		{"l-keys", `SELECT y FROM %I WHERE pk = 'p' AND l BETWEEN 'l1' AND 'l2'`, "{y:\"y1\"}{y:\"y2\"}"},
		{"l-inc", `SELECT x, y FROM %I WHERE pk = 'p' AND x = 'x2'`, "{x:\"x2\" y:\"y2\"}"},
		{"g-all", `SELECT sk FROM %I WHERE g IN ['b', 'a']`, "{sk:\"1\"}{sk:\"4\"}{sk:\"2\"}"},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND x = 'x4'`, "{sk:\"4\"}"},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND x IS NOT MISSING AND pk = 'p'`, "{sk:\"1\"}{sk:\"4\"}"},
		// Without a key what an index does not hold is missing from it, and inside OR it is not told either.
		{"g-inc", `SELECT sk FROM %I WHERE y = 'y1'`, ""},
		{"l-keys", `SELECT sk FROM %I WHERE y = 'y1'`, ""},
		{"g-inc", `SELECT sk FROM %I WHERE (g = 'a' AND y = 'y1') OR g = 'b'`, "{sk:\"2\"}"},
		{"g-inc", `SELECT sk FROM %I WHERE g > 'c' AND y = 'y1'`, ""},
	} {
		got := ""
		for _, it := range c.run(table, from(test.index, test.statement)) {
			got += showItem(it)
		}
		wantText(t, test.index+" "+test.statement, got, test.want)
	}
	items, _ := c.all(c.statement(table, from("g-keys", `SELECT sk FROM %I WHERE NOT y = 'y1'`)))
	if len(items) != 3 {
		t.Errorf("a negated condition on what the index does not hold: %d items", len(items))
	}
}

func TestStatementsRefuseIndexes(t *testing.T) {
	c := connect(t)
	table := statementIndexes(c)
	const rest = "One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: [%s]"
	for _, test := range []struct{ index, statement, phrase string }{
		{"nope", `SELECT * FROM %I WHERE pk = 'p'`, "The table does not have the specified index"},
		{"g-multi", `SELECT * FROM %I WHERE g = 5`, "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."},
		{"g-multi", `SELECT COUNT(*) FROM %I`, "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."},
		{"g-all", `SELECT COUNT(*) FROM %I`, "Unexpected path component at 1:8:5"},
		{"g-inc", `SELECT y, z FROM %I WHERE g = 'a'`, "One or more parameter values were invalid: Global secondary index g-inc does not project [y, z]"},
		{"g-inc", `SELECT y FROM %I`, "Global secondary index g-inc does not project [y]"},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND y = 'y1'`, fmt.Sprintf(rest, "g-inc", "y")},
		{"l-keys", `SELECT sk FROM %I WHERE pk = 'p' AND y = 'y1'`, fmt.Sprintf(rest, "l-keys", "y")},
		{"l-keys", `SELECT sk FROM %I WHERE pk = 'p' AND l BETWEEN 'l1' AND 'l4' AND y = 'y1'`, fmt.Sprintf(rest, "l-keys", "y")},
		{"g-inc", `SELECT sk FROM %I WHERE g IN ['a', 'b'] AND y = 'y1'`, fmt.Sprintf(rest, "g-inc", "y")},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND y IS MISSING`, fmt.Sprintf(rest, "g-inc", "y")},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND NOT (y = 'y1' OR x = 'x')`, fmt.Sprintf(rest, "g-inc", "y")},
		{"g-inc", `SELECT sk FROM %I WHERE g = 'a' AND b = '1' AND (a = '2' OR x = '3')`, fmt.Sprintf(rest, "g-inc", "a, b")},
		{"g-inc", `SELECT sk FROM %I WHERE (g = 'b' AND u1 = '1') OR (g = 'q' AND u2 = '1')`, fmt.Sprintf(rest, "g-inc", "u2")},
		{"g-inc", `SELECT sk FROM %I WHERE (g = 'q' AND u1 = '1') OR (g = 'b' AND u2 = '1')`, fmt.Sprintf(rest, "g-inc", "u1")},
		{"g-inc", `SELECT sk FROM %I."x" WHERE g = 'a'`, "A path may contain at most 2 components in the FROM clause"},
		{"", `SELECT sk FROM %I WHERE g = 'a'`, "Path component cannot be an empty string"},
	} {
		c.refused(table, from(test.index, test.statement), "ValidationException", test.phrase)
	}
	in := c.statement(table, from("g-all", `SELECT * FROM %I WHERE g = 'a'`))
	in.ConsistentRead = aws.Bool(true)
	_, err := c.ExecuteStatement(ctx, in)
	wantError(t, err, "ValidationException", "Strongly consistent read is not supported on Global Secondary Indexes")

	in.ConsistentRead, in.Limit = nil, aws.Int32(1)
	out, err := c.ExecuteStatement(ctx, in)
	check(t, err)
	other := c.statement(table, from("g-keys", `SELECT * FROM %I WHERE g = 'a'`))
	other.NextToken = out.NextToken
	_, err = c.ExecuteStatement(ctx, other)
	wantError(t, err, "ValidationException", "NextToken does not match request")
}

func TestStatementCapacity(t *testing.T) {
	c := connect(t)
	table := statementIndexes(c)
	for _, test := range []struct {
		statement  string
		consistent bool
		want       string
	}{
		{`SELECT * FROM %T WHERE pk = 'p' AND sk = '1'`, false, "total 0.5 table 0.5"},
		{`SELECT * FROM %T WHERE pk = 'p' AND sk = '1'`, true, "total 1 table 1"},
		{`SELECT * FROM %T WHERE pk IN ['p', 'q', 'r']`, false, "total 1.5 table 1.5"},
		{from("g-all", `SELECT sk FROM %I WHERE g = 'a'`), false, "total 0.5 table 0 g-all 0.5"},
		{from("l-all", `SELECT sk FROM %I WHERE pk = 'p'`), false, "total 0.5 table 0 l-all 0.5"},
		{from("l-all", `SELECT sk FROM %I WHERE pk = 'p'`), true, "total 1 table 0 l-all 1"},
		{from("l-keys", `SELECT * FROM %I WHERE pk = 'p'`), false, "total 0.5 table 0 l-keys 0.5"},
		{from("l-keys", `SELECT y FROM %I WHERE pk = 'p'`), false, "total 2 table 1.5 l-keys 0.5"},
		{from("l-keys", `SELECT y FROM %I WHERE pk = 'p'`), true, "total 4 table 3 l-keys 1"},
		{from("l-inc", `SELECT y FROM %I WHERE pk = 'p' AND x = 'nope'`), false, "total 2 table 1.5 l-inc 0.5"},
		{`UPDATE %T SET y = 'other' WHERE pk = 'p' AND sk = '3'`, false, "total 1 table 1"},
		{`DELETE FROM %T WHERE pk = 'p' AND sk = 'nope'`, false, "total 1 table 1"},
	} {
		in := c.statement(table, test.statement)
		in.ConsistentRead, in.ReturnConsumedCapacity = &test.consistent, types.ReturnConsumedCapacityIndexes
		out, err := c.ExecuteStatement(ctx, in)
		check(t, err)
		used := out.ConsumedCapacity
		got := fmt.Sprint("total ", *used.CapacityUnits, " table ", *used.Table.CapacityUnits)
		for _, indexes := range []map[string]types.Capacity{used.GlobalSecondaryIndexes, used.LocalSecondaryIndexes} {
			for name, units := range indexes {
				got += fmt.Sprint(" ", name, " ", *units.CapacityUnits)
			}
		}
		wantText(t, test.statement, got, test.want)
	}
}

func TestStatementFunctionsAndTypes(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{
		"ss": ss("a", "b"), "s": s("str"), "m": m(item{"sub": s("x")}), "nul": null(), "flag": boolean(true), "b": b("\x01\x02"), "l": list(n("1")), "n": n("5"),
	}))
	for condition, want := range map[string]bool{
		`attribute_exists(ss) AND ATTRIBUTE_NOT_EXISTS(nope)`: true, `NOT attribute_exists(m.sub)`: false, `attribute_exists(ss) = true`: true,
		`size(s) = 3 AND size(ss) = 2`: true, `attribute_type(ss, 'SS')`: true, `attribute_type(ss, 'S')`: false,
		`begins_with(s, 'st') AND contains(s, 'tr') AND contains(ss, 'b')`: true, `contains(l, 2)`: false,
		`nul IS NULL`: true, `s IS NULL`: false, `s IS NOT NULL`: true, `nope IS MISSING`: true, `nul IS MISSING`: false,
		`flag IS BOOL AND s IS STRING AND n IS NUMERIC AND b IS BLOB AND m IS STRUCT AND l IS LIST`: true,
		`n BETWEEN 1 AND 9 AND n IN [4, 5]`: true, `n < 's'`: false, `nope <> 1`: true, `nope < 1`: false,
		`l = [1] AND m = {'sub': 'x'} AND ss = <<'b', 'a'>>`: true, `l <> [1]`: false, `flag = true AND nul = null`: true,
	} {
		if got := len(c.run(table, `SELECT sk FROM %T WHERE pk = 'p' AND `+condition)) == 1; got != want {
			t.Errorf("%s: %t", condition, got)
		}
	}
	for _, unordered := range []value{boolean(true), null(), list(), m(item{}), ss("a"), ns("1"), bs("x")} {
		for _, operator := range []string{"<", "<=", ">", ">="} {
			_, err := c.ExecuteStatement(ctx, c.statement(table, `SELECT sk FROM %T WHERE pk = 'p' AND n `+operator+` ?`, unordered))
			wantError(t, err, "ValidationException", "operator or function: "+operator+", operand type: ")
		}
		for operator, want := range map[string]int{"=": 0, "<>": 1} {
			if got := len(c.run(table, `SELECT sk FROM %T WHERE pk = 'p' AND n `+operator+` ?`, unordered)); got != want {
				t.Errorf("n %s %s: %d items", operator, show(unordered), got)
			}
		}
	}
}

func TestBatchesOfStatements(t *testing.T) {
	c := connect(t)
	table := statementIndexes(c)
	batch := func(statements ...types.BatchStatementRequest) *dynamodb.BatchExecuteStatementOutput {
		t.Helper()
		for i := range statements {
			statements[i].Statement = c.statement(table, *statements[i].Statement).Statement
		}
		out, err := c.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: statements, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		check(t, err)
		return out
	}
	plain := func(text string, parameters ...value) types.BatchStatementRequest {
		return types.BatchStatementRequest{Statement: &text, Parameters: parameters}
	}
	told := func(out *dynamodb.BatchExecuteStatementOutput) string {
		var texts []string
		for _, r := range out.Responses {
			text := showItem(r.Item)
			if r.Error != nil {
				text = string(r.Error.Code)
			}
			if r.TableName != nil {
				text += " ran"
			}
			texts = append(texts, text)
		}
		return strings.Join(texts, ", ")
	}
	strong := plain(`SELECT x FROM %T WHERE pk = ? AND sk = '1'`, s("p"))
	strong.ConsistentRead = aws.Bool(true)
	out := batch(strong, plain(`SELECT x FROM %T WHERE pk IN ['p'] AND sk = '2'`), plain(`SELECT x FROM %T WHERE pk = 'q' AND sk = '1'`))
	wantText(t, "reads", told(out), `{x:"x1"} ran, {x:"x2"} ran, absent ran`)
	if len(out.ConsumedCapacity) != 1 || *out.ConsumedCapacity[0].CapacityUnits != 2 {
		t.Errorf("capacity %v", out.ConsumedCapacity)
	}
	out = batch(plain(`SLECT * FROM %T`), plain(`SELECT * FROM "nowhere" WHERE pk = 'p'`), plain(`SELECT * FROM %T WHERE pk = 'p'`),
		plain(`SELECT * FROM %T WHERE pk = 'p' AND sk = '1' AND x = 'x1'`), plain(`SELECT * FROM %T."l-all" WHERE pk = 'p' AND sk = '1'`),
		plain(`SELECT sk FROM %T WHERE pk = 'p' AND sk = '1'`))
	wantText(t, "bad reads", told(out), `ValidationError, ResourceNotFound, ValidationError, ValidationError, ValidationError, {sk:"1"} ran`)
	wantText(t, "their words", *out.Responses[2].Error.Message, "Select statements within BatchExecuteStatement must specify the primary key in the where clause.")

	refused := plain(`UPDATE %T SET x = 'new' WHERE pk = 'p' AND sk = '1' AND x = 'nope'`)
	refused.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	out = batch(plain(`INSERT INTO %T VALUE {'pk': 'p', 'sk': '1'}`), refused, plain(`INSERT INTO %T VALUE {'pk': 'n', 'sk': '1'}`),
		plain(`UPDATE %T SET y = 'new' WHERE pk = 'p' AND sk = '2' RETURNING MODIFIED NEW *`), plain(`DELETE FROM %T WHERE pk = 'p' AND sk = '3' RETURNING ALL OLD *`),
		plain(`UPDATE %T REMOVE x WHERE pk = 'p' AND sk = '4' RETURNING MODIFIED NEW *`), plain(`DELETE FROM %T WHERE pk = 'p' RETURNING ALL NEW *`))
	wantText(t, "writes", told(out), `DuplicateItem ran, ConditionalCheckFailed ran, absent ran, {y:"new"} ran, {pk:"p" sk:"3" y:"y3"} ran, absent ran, ValidationError`)
	if out.Responses[1].Error.Item != nil {
		t.Error("a batch shows the item that failed a condition")
	}
	wantItem(t, c.get(table, keyOf("n", "1")), keyOf("n", "1"))

	read, write := c.statement(table, `SELECT * FROM %T WHERE pk = 'p' AND sk = '1'`).Statement, c.statement(table, `DELETE FROM %T WHERE pk = 'p' AND sk = '1'`).Statement
	_, err := c.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{{Statement: read}, {Statement: write}}})
	wantError(t, err, "ValidationException", "Read and write requests together in the same batch is not supported.")
	_, err = c.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}})
	wantError(t, err, "ValidationException")
}
