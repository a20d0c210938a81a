package conformance_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Statements name the table as %T.

func (c client) statement(table, text string, parameters ...value) *dynamodb.ExecuteStatementInput {
	return &dynamodb.ExecuteStatementInput{Statement: aws.String(strings.ReplaceAll(text, "%T", `"`+table+`"`)), Parameters: parameters}
}

// run executes a statement and fails the test if it is refused.
func (c client) run(table, text string, parameters ...value) []item {
	c.t.Helper()
	out, err := c.ExecuteStatement(ctx, c.statement(table, text, parameters...))
	if err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	if out.Items == nil {
		c.t.Errorf("%s: no list of items", text)
	}
	return out.Items
}

// refused executes a statement that must not be executed.
func (c client) refused(table, text, name string, phrases ...string) {
	c.t.Helper()
	_, err := c.ExecuteStatement(ctx, c.statement(table, text))
	if err == nil {
		c.t.Errorf("%s: not refused", text)
		return
	}
	wantError(c.t, err, name, phrases...)
}

// all follows a SELECT to its end, limit items a page, and counts the pages.
func (c client) all(in *dynamodb.ExecuteStatementInput) (items []item, pages int) {
	c.t.Helper()
	for {
		out, err := c.ExecuteStatement(ctx, in)
		if err != nil {
			c.t.Fatalf("%s: %v", *in.Statement, err)
		}
		items = append(items, out.Items...)
		pages++
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return items, pages
		}
	}
}

func TestStatementInserts(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	if items := c.run(table, `INSERT INTO %T VALUE {'pk': 'p', 'sk': ?, 'l': [1, 'a', {'x': null}], 'b': true, 'ns': <<1, 2>>, 'q': 'it''s'}`, s("1")); len(items) != 0 {
		t.Errorf("%d items", len(items))
	}
	wantItem(t, c.get(table, keyOf("p", "1")), with(keyOf("p", "1"), item{
		"l": list(n("1"), s("a"), m(item{"x": null()})), "b": boolean(true), "ns": ns("1", "2"), "q": s("it's"),
	}))
	c.refused(table, `INSERT INTO %T VALUE {'pk': 'p', 'sk': '1'}`, "DuplicateItemException", "Duplicate primary key exists in table")
	c.run(table, `DELETE FROM %T WHERE pk = 'p' AND sk = '1'`)
	c.run(table, `INSERT INTO %T VALUE {'pk': 'p', 'sk': '1'}`)
	wantItem(t, c.get(table, keyOf("p", "1")), keyOf("p", "1"))
	c.refused(table, `INSERT INTO %T."i" VALUE {'pk': 'p', 'sk': '1'}`, "ValidationException", "FROM clause may only contain a single table name")
	c.refused(table, `INSERT INTO %T VALUE {'pk': 'p'}`, "ValidationException", "Missing the key sk in the item")
	c.refused("nowhere", `INSERT INTO %T VALUE {'pk': 'p'}`, "ResourceNotFoundException", "Requested resource not found")
}

func TestStatementItemSizes(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	const full = 409_600 - len("pk") - len("p") - len("sk") - len("1") - len("v")
	insert := func(sk string, bytes int) error {
		_, err := c.ExecuteStatement(ctx, c.statement(table, `INSERT INTO %T VALUE {'pk': 'p', 'sk': ?, 'v': ?}`, s(sk), s(strings.Repeat("x", bytes))))
		return err
	}
	check(t, insert("1", full))
	wantError(t, insert("2", full+1), "ValidationException", "Item size has exceeded the maximum allowed size")
	update := func(bytes int) error {
		_, err := c.ExecuteStatement(ctx, c.statement(table, `UPDATE %T SET v = ? WHERE pk = 'p' AND sk = '1'`, s(strings.Repeat("y", bytes))))
		return err
	}
	check(t, update(full)) // the finished item is measured, not the writing of it
	wantError(t, update(full+1), "ValidationException", "Item size to update has exceeded the maximum allowed size")
}

func TestStatementUpdatesAndDeletes(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"n": n("1"), "ss": ss("a"), "l": list(s("x")), "m": m(item{"k": n("1")})}))
	c.run(table, `UPDATE %T SET n = n + 1 SET ss = set_add(ss, <<'b'>>) SET l = list_append(l, ?), m.k = 2 REMOVE nope WHERE pk = 'p' AND sk = '1'`, list(s("y")))
	want := with(keyOf("p", "1"), item{"n": n("2"), "ss": ss("a", "b"), "l": list(s("x"), s("y")), "m": m(item{"k": n("2")})})
	wantItem(t, c.get(table, keyOf("p", "1")), want)
	c.run(table, `FROM %T WHERE pk = 'p' AND sk = '1' SET ss = set_delete(ss, <<'a', 'b'>>) REMOVE l[0]`)
	delete(want, "ss")
	want["l"] = list(s("y"))
	wantItem(t, c.get(table, keyOf("p", "1")), want)

	for _, text := range []string{
		`UPDATE %T SET n = 0 WHERE pk = 'p' AND sk = '1' AND n = 1`,
		`UPDATE %T SET n = 0 WHERE pk = 'p' AND sk = 'missing'`,
		`UPDATE %T SET n = 0 WHERE pk = 'p' AND sk = 'missing' AND attribute_not_exists(pk)`,
		`UPDATE %T SET n = 0 WHERE pk = 'p' AND sk = '1' AND n IS MISSING`,
		`DELETE FROM %T WHERE pk = 'p' AND sk = '1' AND attribute_exists(nope)`,
	} {
		c.refused(table, text, "ConditionalCheckFailedException", "The conditional request failed")
	}
	wantItem(t, c.get(table, keyOf("p", "1")), want)
	if c.get(table, keyOf("p", "missing")) != nil {
		t.Error("an UPDATE created an item")
	}
	const noKey = "Where clause does not contain a mandatory equality on all key attributes"
	for text, phrase := range map[string]string{
		`UPDATE %T SET n = 0 WHERE pk = 'p'`:                                  noKey,
		`UPDATE %T SET n = 0`:                                                 noKey,
		`DELETE FROM %T WHERE pk = 'p' OR sk = '1'`:                           noKey,
		`UPDATE %T SET n = 0 WHERE pk = 'p' AND sk = '1' AND pk = 'q'`:        "Multiple conditions on same key pk.",
		`UPDATE %T SET pk = 'q' WHERE pk = 'p' AND sk = '1'`:                  "Cannot update attribute pk. This attribute is part of the key",
		`UPDATE %T SET nope[0] = 1 WHERE pk = 'p' AND sk = '1'`:               "The document path provided in the update expression is invalid for update",
		`UPDATE %T SET n = 'a' + 1 WHERE pk = 'p' AND sk = '1' AND n = 0`:     "operator or function: +, operand type: S",
		`UPDATE %T SET m = set_add(m, <<'a'>>) WHERE pk = 'p' AND sk = '1'`:   "An operand in the update expression has an incorrect data type",
		`UPDATE %T."i" SET n = 0 WHERE pk = 'p' AND sk = '1'`:                 "This operation is not supported on an index",
		`DELETE FROM %T."i" WHERE pk = 'p' AND sk = '1'`:                      "This operation is not supported on an index",
		`DELETE FROM %T WHERE pk = 'p' AND sk = '1' RETURNING MODIFIED OLD *`: "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
	} {
		c.refused(table, text, "ValidationException", phrase)
	}
	c.run(table, `DELETE FROM %T WHERE (pk = 'p' AND sk = '1') AND n = 2`)
	c.run(table, `DELETE FROM %T WHERE pk = 'p' AND sk = '1'`) // there is none: nothing to complain of
	if c.get(table, keyOf("p", "1")) != nil {
		t.Error("the item is still there")
	}
}

func TestStatementReturning(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	before := with(keyOf("p", "1"), item{"a": n("1"), "m": m(item{"x": n("1"), "y": n("2")}), "l": list(n("0"), n("1"), n("2"))})
	for clause, want := range map[string]item{
		"ALL OLD":      before,
		"ALL NEW":      with(before, item{"a": n("2"), "m": m(item{"x": n("9"), "y": n("2")}), "l": list(n("7"), n("1"), n("2"), n("8"))}),
		"MODIFIED OLD": {"a": n("1"), "m": m(item{"x": n("1")}), "l": list(n("0"))},
		"MODIFIED NEW": {"a": n("2"), "m": m(item{"x": n("9")}), "l": list(n("7"))},
	} {
		c.put(table, before)
		items := c.run(table, `UPDATE %T SET a = 2, m.x = 9, l[0] = 7, l[5] = 8 WHERE pk = 'p' AND sk = '1' RETURNING `+clause+` *`)
		if len(items) != 1 {
			t.Fatalf("%s: %d items", clause, len(items))
		}
		wantItem(t, items[0], want)
	}
	if items := c.run(table, `UPDATE %T REMOVE a WHERE pk = 'p' AND sk = '1' RETURNING MODIFIED NEW *`); len(items) != 0 {
		t.Errorf("nothing is left of what was removed, and is shown: %s", showItem(items[0]))
	}
	if items := c.run(table, `DELETE FROM %T WHERE pk = 'p' AND sk = '1' RETURNING ALL OLD *`); len(items) != 1 || items[0]["m"] == nil {
		t.Errorf("deleted: %v", items)
	}
	if items := c.run(table, `DELETE FROM %T WHERE pk = 'p' AND sk = '1' RETURNING ALL OLD *`); len(items) != 0 {
		t.Errorf("deleted again: %v", items)
	}
	_, err := c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
		Statement:                           aws.String(`UPDATE "` + table + `" SET a = 1 WHERE pk = 'p' AND sk = '1'`),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	wantError(t, err, "ConditionalCheckFailedException")
}

func TestStatementSelects(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for i := range 6 {
		c.put(table, with(keyOf("p", fmt.Sprint(i)), item{"n": num(i), "even": boolean(i%2 == 0)}), keyOf("q", fmt.Sprint(i)))
	}
	for where, want := range map[string]string{
		`pk = 'p'`:                                                "0 1 2 3 4 5",
		`pk = 'p' AND sk = '3'`:                                   "3",
		`pk = 'p' AND sk > '3'`:                                   "4 5",
		`pk = 'p' AND '3' > sk`:                                   "0 1 2",
		`pk = 'p' AND sk BETWEEN '2' AND '4'`:                     "2 3 4",
		`pk = 'p' AND begins_with(sk, '5')`:                       "5",
		`pk = 'p' AND sk IN ['5', '0', '9']`:                      "0 5",
		`pk = 'p' AND (sk < '1' OR sk > '4' OR sk = '2')`:         "0 2 5",
		`pk = 'p' AND sk > '1' AND sk <= '3'`:                     "2 3",
		`pk = 'p' AND sk > '3' AND sk < '2'`:                      "",
		`pk = 'p' AND even = true AND NOT n = 2`:                  "0 4",
		`pk = 'p' AND NOT sk = '1'`:                               "0 2 3 4 5",
		`pk = 'p' AND NOT sk = '1' OR pk = 'p' AND sk = '2'`:      "0 2 3 4 5",
		`pk = 'p' AND (n = 1 OR n = 2)`:                           "1 2",
		`pk = 'p' AND pk = 'q'`:                                   "",
		`pk = 'p' ORDER BY sk DESC`:                               "5 4 3 2 1 0",
		`pk = 'p' AND sk IN ['5', '0', '3'] ORDER BY sk DESC`:     "5 3 0",
		`pk IN ['q', 'p'] AND sk > '3' ORDER BY pk`:               "5 4 5 4",
		`pk IN ['q', 'p'] AND sk > '3' ORDER BY pk DESC`:          "5 4 5 4",
		`pk IN ['q', 'p'] AND sk > '3' ORDER BY pk, sk`:           "4 5 4 5",
		`pk = 'p' AND sk IN ['5', '0', '3'] ORDER BY pk`:          "5 3 0",
		`pk IN ['q', 'p'] AND sk > '2' ORDER BY pk DESC, sk DESC`: "5 4 3 5 4 3",
		`pk = 'missing'`:                                          "",
	} {
		wantText(t, where, sortKeys(c.run(table, `SELECT * FROM %T WHERE `+where)), want)
	}
	for where, want := range map[string]int{`n > 3`: 2, `sk = '1'`: 2, `pk > 'p'`: 6, `pk > 1`: 0, `pk = 'p' OR sk = '1'`: 7, `attribute_exists(n)`: 6} {
		items, _ := c.all(c.statement(table, `SELECT * FROM %T WHERE `+where))
		if len(items) != want {
			t.Errorf("%s: %d items, want %d", where, len(items), want)
		}
	}
	const overlap = "Overlapping conditions with range keys are not supported in where clause"
	for tail, phrase := range map[string]string{
		`WHERE pk IN ['p', 'p']`:                    overlap,
		`WHERE pk = 'p' AND (sk > '0' OR sk < '5')`: overlap,
		`WHERE pk = 'p' AND (sk = '1' OR n = 2)`:    overlap,
		`WHERE pk = 1`:                              "Key attribute's data type should match its data type in table's schema: Key pk",
		`WHERE pk = 'p' AND sk > 1`:                 "Key attribute's data type should match its data type in table's schema: Key sk",
		`ORDER BY pk`:                               "Must have WHERE clause in the statement when using ORDER BY clause.",
		`WHERE n = 1 ORDER BY sk`:                   "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
		`WHERE pk = 'p' ORDER BY n`:                 "Attribute n in ORDER BY clause must be part of the primary key",
		`WHERE pk IN ['p', 'q'] ORDER BY sk`:        "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
		`WHERE pk = 'p' AND n < ?`:                  "Number of parameters in request and statement don't match.",
		`t WHERE pk = 'p'`:                          "Aliasing is not supported",
		`WHERE pk = 'p' LIMIT 1`:                    "Unsupported clause: LIMIT",
	} {
		c.refused(table, `SELECT * FROM %T `+tail, "ValidationException", phrase)
	}
	// What the statement alone shows is told before the table is looked up.
	_, err := c.ExecuteStatement(ctx, c.statement("nowhere", `SELECT * FROM %T WHERE pk = 'p' AND n < ?`, boolean(true)))
	wantError(t, err, "ValidationException", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL")
	c.refused("nowhere", `SELECT * FROM %T WHERE pk = 'p'`, "ResourceNotFoundException", "Requested resource not found")
}

func TestStatementInLists(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	values := func(count int) string {
		texts := make([]string, count)
		for i := range texts {
			texts[i] = fmt.Sprintf("'v%d'", i)
		}
		return "[" + strings.Join(texts, ",") + "]"
	}
	c.put(table, with(keyOf("v49", "v0"), item{"f": s("v99")}))
	for where, want := range map[string]int{
		"pk IN " + values(50) + " AND f IN " + values(100): 1,
		"pk IN " + values(51) + " OR f = 'x'":              1,
	} {
		if got := len(c.run(table, `SELECT * FROM %T WHERE `+where)); got != want {
			t.Errorf("%.40s: %d items, want %d", where, got, want)
		}
	}
	const tooMany = "Too many decomposed read operations for a given query."
	c.refused(table, `SELECT * FROM %T WHERE pk IN `+values(51), "ValidationException", tooMany)
	c.refused(table, `SELECT * FROM %T WHERE pk IN `+values(26)+` AND sk IN ['1', '2']`, "ValidationException", tooMany)
	c.refused(table, `SELECT * FROM %T WHERE pk = 'p' AND f IN `+values(101), "ValidationException",
		"The IN operator is provided with too many operands; number of operands: 101")
}

func TestStatementProjections(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, with(keyOf("p", "1"), item{"m": m(item{"nested": s("deep"), "k": list(s("c"))}), "l": list(s("a"), s("b"))}), keyOf("p", "2"))
	for columns, want := range map[string]item{
		`pk, l`:              {"pk": s("p"), "l": list(s("a"), s("b"))},
		`m.nested`:           {"nested": s("deep")},
		`m.k[0], l[1], l[7]`: {"k[0]": s("c"), "l[1]": s("b")},
		`"m"."nested", m`:    {"nested": s("deep"), "m": m(item{"nested": s("deep"), "k": list(s("c"))})},
		`nope`:               {},
	} {
		items := c.run(table, `SELECT `+columns+` FROM %T WHERE pk = 'p' AND sk = '1'`)
		if len(items) != 1 {
			t.Fatalf("%s: %d items", columns, len(items))
		}
		wantItem(t, items[0], want)
	}
	c.refused(table, `SELECT l[-1] FROM %T WHERE pk = 'p'`, "ValidationException", "List index is not within the allowable range; index: [-1] at 1:11:1")
	c.refused(table, `SELECT COUNT(*) FROM %T`, "ValidationException", "Unexpected path component at 1:8:5")
	c.refused(table, `SELECT pk.x FROM %T`, "ValidationException", "Key attributes must be scalars")
}

func TestStatementPages(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	var want []string
	for i := range 30 {
		c.put(table, keyOf(fmt.Sprintf("p%d", i%3), fmt.Sprintf("%02d", i)))
		want = append(want, fmt.Sprintf("%02d", i))
	}
	for _, text := range []string{`SELECT * FROM %T`, `SELECT * FROM %T WHERE pk IN ['p2', 'p0', 'p1']`, `SELECT * FROM %T WHERE pk IN ['p0', 'p1', 'p2'] ORDER BY pk DESC, sk DESC`} {
		for _, limit := range []int32{1, 4, 10, 100} {
			in := c.statement(table, text)
			in.Limit = &limit
			items, pages := c.all(in)
			got := strings.Fields(sortKeys(items))
			sort.Strings(got)
			wantText(t, fmt.Sprintf("%s, limit %d", text, limit), strings.Join(got, " "), strings.Join(want, " "))
			if least := (30 + int(limit) - 1) / int(limit); pages < least || pages > least+3 {
				t.Errorf("%s, limit %d: %d pages", text, limit, pages)
			}
		}
	}
	in := c.statement(table, `SELECT * FROM %T WHERE pk = ?`, s("p0"))
	in.Limit = aws.Int32(3)
	first, err := c.ExecuteStatement(ctx, in)
	check(t, err)
	wantItem(t, first.LastEvaluatedKey, keyOf("p0", "06"))
	for _, other := range []*dynamodb.ExecuteStatementInput{c.statement(table, `SELECT * FROM %T WHERE pk = ?`, s("p1")), c.statement(table, `SELECT * FROM %T WHERE ? = pk`, s("p0"))} {
		other.NextToken = first.NextToken
		_, err = c.ExecuteStatement(ctx, other)
		wantError(t, err, "ValidationException", "NextToken does not match request")
	}
	in.NextToken = aws.String("nonsense")
	_, err = c.ExecuteStatement(ctx, in)
	wantError(t, err, "ValidationException", "Invalid NextToken")
	in.NextToken, in.Limit, in.ConsistentRead = first.NextToken, aws.Int32(100), aws.Bool(true)
	rest, err := c.ExecuteStatement(ctx, in)
	check(t, err)
	wantText(t, "the rest", sortKeys(rest.Items), "09 12 15 18 21 24 27")
}

func TestStatementPagesAreOneMegabyte(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	large := s(strings.Repeat("x", 300_000))
	for i := range 6 {
		c.put(table, with(keyOf(fmt.Sprintf("p%d", i%2), fmt.Sprint(i)), item{"v": large}))
	}
	in := c.statement(table, `SELECT sk FROM %T WHERE pk IN ['p0', 'p1']`)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := c.ExecuteStatement(ctx, in)
	check(t, err)
	if len(out.Items) < 3 || len(out.Items) > 4 || out.NextToken == nil || *out.ConsumedCapacity.CapacityUnits < 110 {
		t.Errorf("%d of 6 items of 300 KB on the first page, %v units, token %v", len(out.Items), *out.ConsumedCapacity.CapacityUnits, out.NextToken)
	}
	items, _ := c.all(in)
	wantText(t, "all", sortKeys(items), "0 2 4 1 3 5")
}
