package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func (c client) timeToLive(table, attribute string, enabled bool) (*types.TimeToLiveSpecification, error) {
	out, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled},
	})
	if err != nil {
		return nil, err
	}
	return out.TimeToLiveSpecification, nil
}

// count is how many items a table shows.
func (c client) count(table string) int {
	c.t.Helper()
	out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	check(c.t, err)
	return int(out.Count)
}

// lives turns time to live on by an attribute.
func (c client) lives(table, attribute string) {
	c.t.Helper()
	_, err := c.timeToLive(table, attribute, true)
	check(c.t, err)
}

// after is a moment so far from now, in seconds of the epoch.
func after(d time.Duration) value { return n(fmt.Sprint(time.Now().Add(d).Unix())) }

func TestTimeToLiveIsDescribed(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	described := func() string {
		t.Helper()
		out, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		check(t, err)
		return strings.TrimSpace(string(out.TimeToLiveDescription.TimeToLiveStatus) + " " + aws.ToString(out.TimeToLiveDescription.AttributeName))
	}
	if got := described(); got != "DISABLED" {
		t.Errorf("at first it is %s", got)
	}
	set, err := c.timeToLive(table, "ends", true)
	check(t, err)
	if !*set.Enabled || *set.AttributeName != "ends" || described() != "ENABLED ends" {
		t.Errorf("turned on it is %v %s, described as %s", *set.Enabled, *set.AttributeName, described())
	}
	_, err = c.timeToLive(table, "ends", true)
	wantError(t, err, "ValidationException", "TimeToLive is already enabled")
	_, err = c.timeToLive(table, "other", true)
	wantError(t, err, "ValidationException", "TimeToLive is active on a different AttributeName: current AttributeName is ends")
	_, err = c.timeToLive(table, "ends", false)
	check(t, err)
	if got := described(); got != "DISABLED" {
		t.Errorf("turned off it is %s", got)
	}
	_, err = c.timeToLive(table, "ends", false)
	wantError(t, err, "ValidationException", "TimeToLive is already disabled")
	_, err = c.timeToLive(table, strings.Repeat("x", 256), true)
	wantError(t, err, "ValidationException", "Member must have length less than or equal to 255")
	_, err = c.timeToLive("no-such-table", "ends", true)
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: no-such-table not found")
}

func TestItemsEnd(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "color", "S")
		in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: key("pk", "color"), Projection: projectAll()}}
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("global", key("color"), projectAll())}
	})
	c.lives(table, "ends")
	red := func(sk string, ends value) item { return with(keyOf("p", sk), item{"color": s("red"), "ends": ends}) }
	second := after(2 * time.Second)
	for sk, ends := range map[string]value{
		"1 soon": second, "2 fraction": n(second.(*types.AttributeValueMemberN).Value + ".9"), "3 past": after(-time.Hour),
		"4 later": after(time.Hour), "5 zero": n("0"), "6 text": s("1000000000"), "7 long ago": n("1000000000"),
		"8 milliseconds": n(fmt.Sprint(time.Now().UnixMilli())), "9 renewed": second,
	} {
		c.put(table, red(sk, ends))
	}
	c.put(table, with(keyOf("p", "nested"), item{"color": s("red"), "m": &types.AttributeValueMemberM{Value: item{"ends": after(-time.Hour)}}}))
	c.put(table, red("9 renewed", after(time.Hour)))

	const left = "4 later 5 zero 6 text 7 long ago 8 milliseconds 9 renewed nested"
	c.eventually("what ended is gone", func() bool { return sortKeys(c.query(table, "p", nil)) == left })
	if got := sortKeys(c.byIndex(table, "local", "pk", s("p"))); got != left {
		t.Errorf("the local index shows %q, want %q", got, left)
	}
	c.eventually("what ended is gone from the global index", func() bool {
		return len(c.byIndex(table, "global", "color", s("red"))) == len(strings.Split("4 5 6 7 8 9 n", " "))
	})
}

// It can be turned on while the table is UPDATING, and so can contributor insights.
func TestTimeToLiveBesideAChangeOfTheTable(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &table, StreamSpecification: &types.StreamSpecification{
		StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly,
	}})
	check(t, err)
	c.lives(table, "ends")
	_, err = c.UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{
		TableName: &table, ContributorInsightsAction: types.ContributorInsightsActionEnable,
	})
	check(t, err)
	c.awaitActive(table)
	c.put(table, item{"pk": s("gone"), "sk": s("1"), "ends": after(-time.Minute)})
	c.eventually("the item ends", func() bool { return c.count(table) == 0 })
}

// Turned on for a table with items, it ends those too. Turned off, it ends nothing more.
func TestTimeToLiveOfAFilledTable(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for i := range 60 {
		ends := after(time.Hour)
		if i%2 == 0 {
			ends = after(-time.Minute)
		}
		c.put(table, with(keyOf(fmt.Sprint("p", i), "x"), item{"ends": ends}))
	}
	if got := c.count(table); got != 60 {
		t.Fatalf("before it is turned on there are %d items", got)
	}
	c.lives(table, "ends")
	c.eventually("half of the items is left", func() bool { return c.count(table) == 30 })
	_, err := c.timeToLive(table, "ends", false)
	check(t, err)
	c.put(table, with(keyOf("late", "x"), item{"ends": after(-time.Minute)}))
	time.Sleep(time.Second)
	if got := c.count(table); got != 31 {
		t.Errorf("turned off there are %d items", got)
	}
	c.lives(table, "ends")
	c.eventually("turned on again it ends what came meanwhile", func() bool { return c.count(table) == 30 })
}

// Until it is gone, an item that ended is like any other, and its end can be put off.
func TestAnEndThatIsPutOff(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.lives(table, "ends")
	for i := range 10 {
		put := func() error {
			c.put(table, with(keyOf("p", fmt.Sprint(i)), item{"ends": after(2 * time.Second)}))
			_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: &table, Key: keyOf("p", fmt.Sprint(i)), UpdateExpression: aws.String("SET ends = ends + :more"),
				ExpressionAttributeValues: item{":more": n([]string{"3600", "0"}[i%2])},
			})
			return err
		}
		// On a slow machine it may be gone before its end is put off.
		err := put()
		for tries := 1; err != nil && tries < 10; tries++ {
			err = put()
		}
		check(t, err)
	}
	c.eventually("those that were not put off are gone", func() bool { return c.count(table) == 5 })
	time.Sleep(time.Second)
	if got := c.count(table); got != 5 {
		t.Errorf("%d items are left", got)
	}
}

// The stream tells a deletion that nobody asked for from one that a client did: by whose it is.
func TestStreamSaysWhoEndedAnItem(t *testing.T) {
	s := stream(t, types.StreamViewTypeNewAndOldImages)
	s.lives(s.table, "ends")
	s.put(s.table, with(keyOf("a", "ended"), item{"ends": after(-time.Minute)}), with(keyOf("a", "deleted"), item{"ends": after(time.Hour)}))
	_, err := s.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: keyOf("a", "deleted")})
	check(t, err)
	place, whose := s.reader(nil), map[string]string{}
	s.eventually("both removals are in the stream", func() bool {
		for _, r := range s.read(place) {
			sk := r.Dynamodb.Keys["sk"].(*streamtypes.AttributeValueMemberS).Value
			switch {
			case r.EventName == streamtypes.OperationTypeRemove && r.UserIdentity != nil:
				whose[sk] = fmt.Sprintf("%s %s", aws.ToString(r.UserIdentity.Type), aws.ToString(r.UserIdentity.PrincipalId))
			case r.EventName == streamtypes.OperationTypeRemove:
				whose[sk] = "nobody's"
			case r.UserIdentity != nil:
				t.Errorf("%s has an identity", shown(r))
			}
			if sk == "ended" && r.EventName == streamtypes.OperationTypeRemove && (len(r.Dynamodb.OldImage) != 3 || r.Dynamodb.NewImage != nil) {
				t.Errorf("the removal is shown as %s", shown(r))
			}
		}
		return len(whose) == 2
	})
	if whose["ended"] != "Service dynamodb.amazonaws.com" || whose["deleted"] != "nobody's" {
		t.Errorf("the removals are %v", whose)
	}
}
