package conformance_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/iam"
	"stator/internal/edge/sigv4"
	"stator/test/sdk"
)

// behindDoors is the database of this pass, nil when only its endpoint is in reach.
var behindDoors database

const (
	tableARN = "arn:aws:dynamodb:us-east-1:000000000000:table/"
	userARN  = "arn:aws:iam::000000000000:user/"
)

// signedDoor is a door that asks who comes in.
type signedDoor struct {
	t        *testing.T
	endpoint string
	pairs    map[string]sigv4.Credential
}

// openSigned opens a door to the pass's database for callers by name, each with the policy that its profile names, "" for none.
func openSigned(t *testing.T, required bool, policies map[string]string) *signedDoor {
	t.Helper()
	if behindDoors == nil {
		t.Skip("the database behind the doors is out of reach")
	}
	d := &signedDoor{t: t, pairs: map[string]sigv4.Credential{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	d.endpoint = "http://" + listener.Addr().String()
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	check(t, err)
	server := httpapi.NewServer(httpapi.New(httpapi.Options{
		Calls: behindDoors.Calls(), Auth: sigv4.NewVerifier("us-east-1", sigv4.NewRing(d.load(policies)), clock.System{}),
		Policies: iam.New(iam.Options{Tables: behindDoors, Region: "us-east-1", Account: "000000000000", Clock: clock.System{}, Required: required}),
		Budget:   httpapi.NewBudget(memoryBytes), IDs: ids, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Region: "us-east-1",
	}), httpapi.DefaultLimits())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopMax)
		defer cancel()
		check(t, server.Shutdown(ctx))
		check(t, <-ended)
	})
	return d
}

// load writes a credentials file with its policies beside it and reads it, as the server does.
func (d *signedDoor) load(policies map[string]string) []sigv4.Credential {
	dir := d.t.TempDir()
	path := filepath.Join(dir, "credentials")
	text := ""
	for name, document := range policies {
		pair, err := sigv4.NewCredential(name)
		check(d.t, err)
		d.pairs[name] = pair
		text += pair.Section()
		if document != "" {
			check(d.t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(document), 0o600))
			text += "policy = " + name + ".json\n"
		}
	}
	check(d.t, os.WriteFile(path, []byte(text), 0o600))
	loaded, err := sigv4.LoadCredentials(path)
	check(d.t, err)
	return loaded
}

// as is the SDK's client of a caller.
func (d *signedDoor) as(name string) client {
	pair := d.pairs[name]
	return client{t: d.t, Client: dynamodb.New(sdk.New(d.endpoint).Options(), func(o *dynamodb.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(pair.AccessKeyID, pair.SecretAccessKey, "")
	})}
}

// statement is a policy of one statement; more is what it has besides effect, action and resource.
func statement(effect, action, resource, more string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%s,"Resource":%s%s}]}`, effect, action, resource, more)
}

// denied fails the test unless err refuses the action on the resource with the given end.
func denied(t *testing.T, err error, name, action, resource, why string) {
	t.Helper()
	wantError(t, err, "AccessDeniedException",
		"User: "+userARN+name+" is not authorized to perform: dynamodb:"+action+" on resource: "+resource+why)
}

func unspoken(action string) string {
	return " because no identity-based policy allows the dynamodb:" + action + " action"
}

func TestPolicyLetsACallerAtItsOwnRows(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	own := func(name string) string {
		return statement("Allow", `["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query","dynamodb:BatchGetItem","dynamodb:BatchWriteItem"]`,
			`"`+tableARN+table+`"`, `,"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["${aws:username}","`+name+`#*"]}}`)
	}
	door := openSigned(t, false, map[string]string{"ann": own("ann"), "bob": own("bob"), "root": ""})
	ann, bob, root := door.as("ann"), door.as("bob"), door.as("root")

	ann.put(table, item{"pk": s("ann"), "sk": s("1"), "v": s("a")}, item{"pk": s("ann#2"), "sk": s("1")})
	bob.put(table, item{"pk": s("bob"), "sk": s("1"), "v": s("b")})
	wantItem(t, ann.get(table, keyOf("ann", "1")), item{"pk": s("ann"), "sk": s("1"), "v": s("a")})
	if got := len(ann.query(table, "ann", nil)); got != 1 {
		t.Errorf("ann finds %d rows of its own, want 1", got)
	}
	_, err := ann.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("bob", "1")})
	denied(t, err, "ann", "GetItem", tableARN+table, unspoken("GetItem"))
	_, err = ann.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item{"pk": s("bob"), "sk": s("1")}})
	denied(t, err, "ann", "PutItem", tableARN+table, unspoken("PutItem"))
	_, err = ann.Query(ctx, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: item{":p": s("bob")}})
	denied(t, err, "ann", "Query", tableARN+table, unspoken("Query"))
	_, err = ann.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
	denied(t, err, "ann", "Scan", tableARN+table, unspoken("Scan"))
	_, err = ann.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		table: {Keys: []map[string]types.AttributeValue{keyOf("ann", "1"), keyOf("bob", "1")}},
	}})
	denied(t, err, "ann", "BatchGetItem", tableARN+table, unspoken("BatchGetItem"))
	_, err = ann.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		table: {{DeleteRequest: &types.DeleteRequest{Key: keyOf("bob", "1")}}},
	}})
	denied(t, err, "ann", "BatchWriteItem", tableARN+table, unspoken("BatchWriteItem"))
	_, err = ann.ListTables(ctx, &dynamodb.ListTablesInput{})
	denied(t, err, "ann", "ListTables", tableARN+"*", unspoken("ListTables"))
	// What was denied did not happen, and a caller without a policy may do anything.
	wantItem(t, root.get(table, keyOf("bob", "1")), item{"pk": s("bob"), "sk": s("1"), "v": s("b")})
}

func TestPolicyOfAttributes(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	c.put(table, item{"pk": s("a"), "sk": s("1"), "name": s("n"), "salary": n("9")})
	door := openSigned(t, false, map[string]string{"ann": statement("Allow", `"dynamodb:*"`, `"*"`, `,"Condition":{`+
		`"ForAllValues:StringEquals":{"dynamodb:Attributes":["pk","sk","name"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}}`)})
	ann := door.as("ann")

	out, err := ann.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1"), ProjectionExpression: aws.String("#n"),
		ExpressionAttributeNames: map[string]string{"#n": "name"}})
	check(t, err)
	wantItem(t, out.Item, item{"name": s("n")})
	_, err = ann.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1"), ProjectionExpression: aws.String("pk, #n"),
		ExpressionAttributeNames: map[string]string{"#n": "salary"}})
	denied(t, err, "ann", "GetItem", tableARN+table, unspoken("GetItem"))
	_, err = ann.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1")})
	denied(t, err, "ann", "GetItem", tableARN+table, unspoken("GetItem"))
	_, err = ann.Scan(ctx, &dynamodb.ScanInput{TableName: &table, ProjectionExpression: aws.String("pk"),
		FilterExpression: aws.String("salary > :s"), ExpressionAttributeValues: item{":s": n("1")}})
	denied(t, err, "ann", "Scan", tableARN+table, unspoken("Scan"))
	_, err = ann.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: keyOf("a", "1"), UpdateExpression: aws.String("SET #n = salary"),
		ExpressionAttributeNames: map[string]string{"#n": "name"}})
	denied(t, err, "ann", "UpdateItem", tableARN+table, unspoken("UpdateItem"))
}

func TestPolicyOfAddressesAndIndexes(t *testing.T) {
	c := connect(t)
	table := c.table(func(in *dynamodb.CreateTableInput) {
		in.AttributeDefinitions = define("pk", "S", "sk", "S", "g", "S")
		in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{globalIndex("by-g", key("g"), projectAll())}
	})
	from := func(block string) string {
		return statement("Allow", `"dynamodb:GetItem"`, `"*"`, `,"Condition":{"IpAddress":{"aws:SourceIp":"`+block+`"},"Bool":{"aws:SecureTransport":false}}`)
	}
	door := openSigned(t, false, map[string]string{
		"near": from("127.0.0.0/8"), "far": from("10.0.0.0/8"), "ix": statement("Allow", `"dynamodb:Query"`, `"`+tableARN+table+`/index/*"`, ""),
	})
	door.as("near").get(table, keyOf("a", "1"))
	_, err := door.as("far").GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1")})
	denied(t, err, "far", "GetItem", tableARN+table, unspoken("GetItem"))

	query := func(index *string) error {
		name := "pk"
		if index != nil {
			name = "g"
		}
		_, err := door.as("ix").Query(ctx, &dynamodb.QueryInput{TableName: &table, IndexName: index,
			KeyConditionExpression: aws.String(name + " = :v"), ExpressionAttributeValues: item{":v": s("x")}})
		return err
	}
	check(t, query(aws.String("by-g")))
	denied(t, query(nil), "ix", "Query", tableARN+table, unspoken("Query"))
}

func TestPolicyOfATable(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	arn := tableARN + table
	door := openSigned(t, true, map[string]string{"ann": statement("Allow", `"dynamodb:*"`, `"*"`, ""), "bob": ""})
	ann, bob := door.as("ann"), door.as("bob")
	read := func(c client) error {
		_, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: keyOf("a", "1")})
		return err
	}
	// Where policies are required, a profile without one may do nothing.
	check(t, read(ann))
	denied(t, read(bob), "bob", "GetItem", arn, unspoken("GetItem"))

	_, err := ann.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
	wantError(t, err, "PolicyNotFoundException", arn)
	document := `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Deny","Principal":{"AWS":"` + userARN + `ann"},"Action":"dynamodb:GetItem","Resource":"*"},` +
		`{"Effect":"Allow","Principal":{"AWS":"` + userARN + `bob"},"Action":"dynamodb:GetItem","Resource":"*"}]}`
	put, err := ann.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &arn, Policy: &document, ExpectedRevisionId: aws.String("NO_POLICY")})
	check(t, err)
	denied(t, read(ann), "ann", "GetItem", arn, " with an explicit deny in a resource-based policy")
	check(t, read(bob))
	got, err := bob.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	denied(t, err, "bob", "DescribeTable", arn, unspoken("DescribeTable"))
	if got != nil && got.Table != nil {
		t.Error("a denied request is answered")
	}
	kept, err := ann.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
	check(t, err)
	wantText(t, "the policy", *kept.Policy, document)
	wantText(t, "its revision", *kept.RevisionId, *put.RevisionId)

	// Nobody locks itself out by accident, and a bad policy changes nothing.
	lock := `{"Statement":{"Effect":"Deny","Principal":"*","Action":"dynamodb:*","Resource":"*"}}`
	_, err = ann.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &arn, Policy: &lock})
	wantError(t, err, "AccessDeniedException", "The new resource policy will not allow you to update the resource policy in the future.")
	_, err = ann.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &arn, Policy: aws.String("{")})
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Invalid policy document: This policy contains invalid Json")

	gone, err := ann.DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: &arn, ExpectedRevisionId: put.RevisionId})
	check(t, err)
	wantText(t, "the revision that went", *gone.RevisionId, *put.RevisionId)
	check(t, read(ann))
	denied(t, read(bob), "bob", "GetItem", arn, unspoken("GetItem"))
}

func TestPolicyComesWithATable(t *testing.T) {
	c := connect(t)
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"dynamodb:PutItem","Resource":"*"}]}`
	table := c.table(func(in *dynamodb.CreateTableInput) { in.ResourcePolicy = &document })
	kept, err := c.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: aws.String(tableARN + table)})
	check(t, err)
	wantText(t, "the policy", *kept.Policy, document)
	door := openSigned(t, false, map[string]string{"ann": statement("Allow", `"dynamodb:*"`, `"*"`, ""), "root": ""})
	_, err = door.as("ann").PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: keyOf("a", "1")})
	denied(t, err, "ann", "PutItem", tableARN+table, " with an explicit deny in a resource-based policy")
	door.as("root").put(table, keyOf("a", "1"))
}

// An index has no policy of its own, nor has what is not there.
func TestPolicyOfWhatIsNoTable(t *testing.T) {
	c := connect(t)
	table := c.table(nil)
	for arn, want := range map[string]string{
		table:                            "ARNs must start with 'arn:': " + table,
		tableARN + table + "/index/by-g": "only table or stream is accepted",
		tableARN + "nowhere-at-all":      "Requested resource not found: Table: nowhere-at-all not found",
	} {
		_, err := c.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
		name := "ValidationException"
		if arn == tableARN+"nowhere-at-all" {
			name = "ResourceNotFoundException"
		}
		wantError(t, err, name, want)
	}
}
