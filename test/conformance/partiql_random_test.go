package conformance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// statementsCount is how many random statements are compared.
const statementsCount = 400

// A random SELECT shows what a Scan with the same condition as a filter shows, however it is read: by queries or by a scan.
func TestRandomSelectsAreFilters(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for i := range 40 {
		it := keyOf(fmt.Sprintf("p%d", i%4), fmt.Sprintf("s%d", i/4))
		for name, v := range map[string]value{"n": num(i % 7), "t": s(strings.Repeat("x", i%5)), "f": boolean(i%3 == 0), "tags": ss(fmt.Sprint(i%2), "z"), "m": m(item{"k": num(i % 3)})} {
			if (i+len(name))%5 != 0 {
				it[name] = v
			}
		}
		c.put(table, it)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	reads, refusals := 0, 0
	for range statementsCount {
		g := &conditions{random: random}
		condition := g.condition(3)
		in := c.statement(table, `SELECT * FROM %T WHERE `+condition, g.parameters...)
		in.ConsistentRead, in.Limit = aws.Bool(true), aws.Int32(int32(1+random.IntN(20)))
		got, err := statementKeys(c, in)
		if err != nil {
			// Branches that overlap, and more of them than may be read, have no like among filters.
			wantError(t, err, "ValidationException")
			if text := err.Error(); !strings.Contains(text, "Overlapping conditions") && !strings.Contains(text, "Too many decomposed") {
				t.Fatalf("seed %d: %s: %v", seed, condition, err)
			}
			refusals++
			continue
		}
		reads++
		scan := &dynamodb.ScanInput{TableName: &table, FilterExpression: aws.String(g.filter(condition)), ConsistentRead: aws.Bool(true)}
		if len(g.parameters) > 0 {
			scan.ExpressionAttributeValues = item{}
			for i, v := range g.parameters {
				scan.ExpressionAttributeValues[fmt.Sprintf(":p%d", i)] = v
			}
		}
		out, err := c.Scan(ctx, scan)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, *scan.FilterExpression, err)
		}
		if want := itemKeys(out.Items); got != want {
			t.Errorf("seed %d: %s\n%s\n%v\ngot  %s\nwant %s", seed, condition, *scan.FilterExpression, g.parameters, got, want)
		}
	}
	if reads < refusals {
		t.Errorf("seed %d: %d of %d statements were refused", seed, refusals, statementsCount)
	}
}

func statementKeys(c client, in *dynamodb.ExecuteStatementInput) (string, error) {
	var items []item
	for {
		out, err := c.ExecuteStatement(ctx, in)
		if err != nil {
			return "", err
		}
		items = append(items, out.Items...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return itemKeys(items), nil
		}
	}
}

func itemKeys(items []item) string {
	var keys []string
	for _, it := range items {
		keys = append(keys, show(it["pk"])+show(it["sk"]))
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// conditions makes random conditions that are spelled alike in both languages, but for their parameters.
type conditions struct {
	random     *rand.Rand
	parameters []value
}

func (g *conditions) parameter(v value) string {
	g.parameters = append(g.parameters, v)
	return "?"
}

// filter spells the condition as a FilterExpression.
func (g *conditions) filter(condition string) string {
	for i := range g.parameters {
		condition = strings.Replace(condition, "?", fmt.Sprintf(":p%d", i), 1)
	}
	return condition
}

func (g *conditions) condition(depth int) string {
	if depth == 0 || g.random.IntN(4) == 0 {
		return g.leaf()
	}
	switch g.random.IntN(5) {
	case 0, 1:
		return "pk = " + g.parameter(s(fmt.Sprintf("p%d", g.random.IntN(5)))) + " AND " + g.group(depth-1)
	case 2:
		return g.group(depth-1) + " AND " + g.group(depth-1)
	case 3:
		return g.group(depth-1) + " OR " + g.group(depth-1)
	default:
		return "NOT " + g.group(depth-1)
	}
}

func (g *conditions) group(depth int) string { return "(" + g.condition(depth) + ")" }

func (g *conditions) leaf() string {
	operator := []string{"=", "<>", "<", "<=", ">", ">="}[g.random.IntN(6)]
	switch g.random.IntN(10) {
	case 0:
		return "pk IN (" + g.parameter(s("p1")) + ", " + g.parameter(s(fmt.Sprintf("p%d", 2+g.random.IntN(3)))) + ")"
	case 1:
		return "sk " + operator + " " + g.parameter(s(fmt.Sprintf("s%d", g.random.IntN(10))))
	case 2:
		return "sk BETWEEN " + g.parameter(s("s2")) + " AND " + g.parameter(s(fmt.Sprintf("s%d", 2+g.random.IntN(8))))
	case 3:
		return "begins_with(sk, " + g.parameter(s("s"+[]string{"", "3"}[g.random.IntN(2)])) + ")"
	case 4:
		return "n " + operator + " " + g.parameter(num(g.random.IntN(7)))
	case 5:
		return "m.k " + operator + " " + g.parameter(num(g.random.IntN(3)))
	case 6:
		return "size(t) " + operator + " " + g.parameter(num(g.random.IntN(5)))
	case 7:
		return "contains(tags, " + g.parameter(s(fmt.Sprint(g.random.IntN(2)))) + ")"
	case 8:
		return "attribute_type(n, " + g.parameter(s("N")) + ")"
	default:
		return []string{"attribute_exists(f)", "attribute_not_exists(m.k)"}[g.random.IntN(2)]
	}
}
