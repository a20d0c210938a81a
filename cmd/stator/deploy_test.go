package main

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"go.yaml.in/yaml/v3"
)

// alertFile is what Prometheus reads of deploy/prometheus/alerts.yml.
type alertFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Record, Alert, Expr, For string
			Labels, Annotations      map[string]string
		}
	}
}

// dashboard is what is looked at of deploy/grafana/stator.json.
type dashboard struct {
	Panels []struct {
		Title, Type string
		Targets     []struct{ Expr string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

var metricName = regexp.MustCompile(`\bstator_[a-z0-9_]+`)

// Every alert says what to do, and every metric that the rules and the dashboard name is one that a node has.
func TestAlertsAndDashboardNameWhatANodeTells(t *testing.T) {
	var queries []string
	for _, group := range readAlerts(t).Groups {
		for _, rule := range group.Rules {
			queries = append(queries, rule.Expr)
			if rule.Expr == "" || (rule.Record == "") == (rule.Alert == "") {
				t.Errorf("%s has a rule %q%q without an expression or a name", group.Name, rule.Record, rule.Alert)
			}
			if rule.Alert != "" && (rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || rule.Labels["severity"] == "") {
				t.Errorf("%s does not say what is wrong, how badly, and what to do", rule.Alert)
			}
		}
	}
	var board dashboard
	read(t, "../../deploy/grafana/stator.json", func(text []byte) error { return json.Unmarshal(text, &board) })
	for _, panel := range board.Panels {
		if (panel.Type == "row") == (len(panel.Targets) > 0) {
			t.Errorf("panel %s shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, variable := range board.Templating.List {
		queries = append(queries, variable.Definition)
	}
	told := toldByANode(t)
	for _, query := range queries {
		for _, name := range metricName.FindAllString(query, -1) {
			family := name
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				family = strings.TrimSuffix(family, suffix)
			}
			if !told[name] && !told[family] {
				t.Errorf("no node tells %s, which is asked for in %s", name, query)
			}
		}
	}
}

func readAlerts(t *testing.T) (file alertFile) {
	read(t, "../../deploy/prometheus/alerts.yml", func(text []byte) error { return yaml.Unmarshal(text, &file) })
	return file
}

func read(t *testing.T, path string, parse func([]byte) error) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = parse(text)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// toldByANode is the names of the metrics of a node that was asked for a bit of everything.
func toldByANode(t *testing.T) map[string]bool {
	p := start(t, "--data", t.TempDir(), "--capacity", "enforce", "--partitions", "200")
	c, ctx := client(p.endpoint, "key", "secret", nil), context.Background()
	createTable(t, c)
	name := aws.String("things")
	if _, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("missing")}); err == nil {
		t.Fatal("a table that is missing was described")
	}
	if _, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: name, TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true), AttributeName: aws.String("ends")},
	}); err != nil {
		t.Fatal(err)
	}
	update(t, c, &dynamodb.UpdateTableInput{
		BillingMode:           types.BillingModeProvisioned,
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(5)},
	})
	update(t, c, &dynamodb.UpdateTableInput{
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
	})
	readStream(t, p.endpoint, c)
	update(t, c, &dynamodb.UpdateTableInput{
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("color"), AttributeType: types.ScalarAttributeTypeS}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-color"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema:             []types.KeySchemaElement{{AttributeName: aws.String("color"), KeyType: types.KeyTypeHash}},
			ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(5)},
		}}},
	})
	// Two hundred partitions take a while to be read into the index, however few items they have.
	const progress = "stator_online_index_percentage_progress"
	told := map[string]bool{}
	for deadline := time.Now().Add(patience); !told[progress] && time.Now().Before(deadline); {
		p.tells(told)
	}
	// Only one of a cluster tells of others.
	start(t, "--data", t.TempDir(), "--rpc", "127.0.0.1:0", "--cluster-init").tells(told)
	return told
}

var metricType = regexp.MustCompile(`(?m)^# TYPE (\S+)`)

// tells adds the names of the metrics that are told now.
func (p *process) tells(told map[string]bool) {
	_, text := p.get("/metrics")
	for _, family := range metricType.FindAllStringSubmatch(text, -1) {
		told[family[1]] = true
	}
}

// update changes the table, and waits until it can be changed again.
func update(t *testing.T, c *dynamodb.Client, in *dynamodb.UpdateTableInput) {
	t.Helper()
	in.TableName = aws.String("things")
	if _, err := c.UpdateTable(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	if len(in.GlobalSecondaryIndexUpdates) > 0 {
		return
	}
	waiter := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
	})
	if err := waiter.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: in.TableName}, patience); err != nil {
		t.Fatal(err)
	}
}

// readStream reads a page of a shard of the table's stream.
func readStream(t *testing.T, endpoint string, c *dynamodb.Client) {
	t.Helper()
	ctx := context.Background()
	s := dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	described, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("things")})
	if err != nil {
		t.Fatal(err)
	}
	arn := described.Table.LatestStreamArn
	stream, err := s.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	it, err := s.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: arn, ShardId: stream.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it.ShardIterator}); err != nil {
		t.Fatal(err)
	}
}
