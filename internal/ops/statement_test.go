package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"stator/internal/model/api"
	"stator/internal/model/attr"
)

// statementOps are operations over the pair table with items p/1 … p/5 and q/1 … q/5.
func statementOps(t *testing.T) *Ops {
	t.Helper()
	ops, _ := newTestOps(t)
	for _, pk := range []string{"p", "q"} {
		for i := range 5 {
			item := decoded(t, fmt.Sprintf(`{"pk":{"S":%q},"sk":{"S":"%d"},"n":{"N":"%d"}}`, pk, i, i))
			if _, err := ops.PutItem(context.Background(), &api.PutItemInput{TableName: ptr("pair"), Item: item}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ops
}

// read follows a statement to its end and tells the items of each page.
func read(t *testing.T, ops *Ops, in api.ExecuteStatementInput) string {
	t.Helper()
	var pages []string
	for range 100 {
		out, err := ops.ExecuteStatement(context.Background(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if (out.NextToken == nil) != (out.LastEvaluatedKey == nil) {
			t.Fatalf("token %v, last key %s", out.NextToken, out.LastEvaluatedKey.AppendJSON(nil))
		}
		var items []string
		for _, item := range out.Items {
			pk, _ := item.Get("pk")
			sk, _ := item.Get("sk")
			items = append(items, string(pk.Str())+string(sk.Str()))
		}
		pages = append(pages, strings.Join(items, " "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return strings.Join(pages, "|")
		}
	}
	t.Fatal("no end")
	return ""
}

// Pages go over all stretches in their order, share one limit, and miss and repeat nothing.
func TestStatementPages(t *testing.T) {
	ops := statementOps(t)
	for _, test := range []struct {
		statement string
		limit     int64
		want      string
	}{
		{`SELECT * FROM "pair" WHERE pk IN ['q', 'p']`, 4, "p0 p1 p2 p3|p4 q0 q1 q2|q3 q4"},
		{`SELECT * FROM "pair" WHERE pk IN ['q', 'p']`, 5, "p0 p1 p2 p3 p4|q0 q1 q2 q3 q4|"},
		{`SELECT * FROM "pair" WHERE pk IN ['q', 'p'] ORDER BY pk DESC, sk DESC`, 3, "q4 q3 q2|q1 q0 p4|p3 p2 p1|p0"},
		{`SELECT * FROM "pair" WHERE pk IN ['q', 'p'] ORDER BY pk DESC`, 6, "q4 q3 q2 q1 q0 p4|p3 p2 p1 p0"},
		{`SELECT * FROM "pair" WHERE pk IN ['q', 'p'] AND sk IN ['4', '1', '3'] AND n <> 3`, 2, "p1|p4 q1|q4|"},
		{`SELECT * FROM "pair" WHERE pk = 'p' AND (sk < '2' OR sk > '3') ORDER BY sk DESC`, 2, "p4 p1|p0"},
		{`SELECT * FROM "pair" WHERE pk = 'p' AND sk > '1' AND sk < '4'`, 10, "p2 p3"},
		{`SELECT * FROM "pair" WHERE pk = 'p' AND sk > '3' AND sk < '2'`, 10, ""},
	} {
		if got := read(t, ops, api.ExecuteStatementInput{Statement: &test.statement, Limit: &test.limit}); got != test.want {
			t.Errorf("%s, limit %d: %s, want %s", test.statement, test.limit, got, test.want)
		}
	}
	scan := `SELECT * FROM "pair" WHERE n <> 2`
	items := strings.FieldsFunc(read(t, ops, api.ExecuteStatementInput{Statement: &scan, Limit: ptr(int64(3))}),
		func(r rune) bool { return r == ' ' || r == '|' })
	slices.Sort(items)
	if got := strings.Join(items, " "); got != "p0 p1 p3 p4 q0 q1 q3 q4" {
		t.Errorf("a scan by pages: %s", got)
	}
}

// A token belongs to its statement with its parameters; Limit and ConsistentRead may change.
func TestStatementTokens(t *testing.T) {
	ops := statementOps(t)
	ctx := context.Background()
	statement := `SELECT * FROM "pair" WHERE pk = ?`
	first, err := ops.ExecuteStatement(ctx, &api.ExecuteStatementInput{Statement: &statement, Parameters: []attr.Value{attr.String("p")}, Limit: ptr(int64(1))})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what      string
		statement string
		parameter string
		token     string
		want      string
	}{
		{"its own", statement, "p", *first.NextToken, ""},
		{"other parameters", statement, "q", *first.NextToken, foreignToken},
		{"another statement", `SELECT * FROM "pair" WHERE ? = pk`, "p", *first.NextToken, foreignToken},
		{"a write", `DELETE FROM "pair" WHERE pk = 'p' AND sk = ?`, "1", *first.NextToken, foreignToken},
		{"no base64", statement, "p", "!", invalidToken},
		{"too short", statement, "p", "AAAA", invalidToken},
		{"cut", statement, "p", (*first.NextToken)[:len(*first.NextToken)-8], invalidToken},
		{"another stretch", statement, "p", *position{stretch: 7, start: first.LastEvaluatedKey}.token(tokenDigest(statement, []attr.Value{attr.String("p")})), invalidToken},
		{"another place", statement, "p", *position{start: decoded(t, `{"pk":{"S":"q"},"sk":{"S":"1"}}`)}.token(tokenDigest(statement, []attr.Value{attr.String("p")})), invalidToken},
		{"no key", statement, "p", *position{start: decoded(t, `{"pk":{"S":"p"}}`)}.token(tokenDigest(statement, []attr.Value{attr.String("p")})), invalidToken},
	} {
		_, err := ops.ExecuteStatement(ctx, &api.ExecuteStatementInput{
			Statement: &test.statement, Parameters: []attr.Value{attr.String(test.parameter)}, NextToken: &test.token, ConsistentRead: ptr(true),
		})
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", test.what, err)
			}
			continue
		}
		if refused, ok := errors.AsType[*api.Error](err); !ok || refused.Message != test.want {
			t.Errorf("%s: %v, want %s", test.what, err, test.want)
		}
	}
}

// FuzzToken holds that any token is read or refused.
func FuzzToken(f *testing.F) {
	digest := tokenDigest("SELECT", nil)
	f.Add("")
	f.Add("!")
	f.Add(*position{start: attr.EmptyMap}.token(digest))
	f.Add(*position{stretch: 300, start: attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("p")}})}.token(digest))
	f.Fuzz(func(t *testing.T, token string) {
		p, err := readToken(&token, digest)
		if err != nil {
			if _, ok := errors.AsType[*api.Error](err); !ok {
				t.Errorf("%v of type %T", err, err)
			}
			return
		}
		if again, err := readToken(p.token(digest), digest); err != nil || again.stretch != p.stretch || string(again.start) != string(p.start) {
			t.Errorf("%v read again: %v, %v", p, again, err)
		}
	})
}

// The service lists names as a Java HashSet does.
func TestSetOrder(t *testing.T) {
	for _, test := range []struct{ names, want string }{
		{"b a", "a b"},
		{"zz aa mm", "zz aa mm"},
		{"a b c d e f g h i j k l m n o p q", "a b c d e f g h i j k l m n o p q"},
	} {
		if got := strings.Join(setOrder(strings.Fields(test.names)), " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.names, got, test.want)
		}
	}
}
