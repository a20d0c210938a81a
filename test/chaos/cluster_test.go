package chaos_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var clusterKills = flag.Int("cluster-kills", 3, "how often TestAnyNodeDies kills a node")

const (
	// resumeMax ends a wait for another leader of a dead node's partitions. How soon it leads is told by what is logged.
	resumeMax    = settleMax
	clusterItems = 200
)

// freeAddress is one that nobody uses now, for a node whose address has to be the same after a restart.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// three starts a cluster of three processes.
func three(t *testing.T, flags ...string) []*server {
	t.Helper()
	first := freeAddress(t)
	nodes := []*server{serve(t, t.TempDir(), append(flags, "--rpc", first, "--cluster-init", "--zone", "a")...)}
	for _, zone := range []string{"b", "c"} {
		nodes = append(nodes, serve(t, t.TempDir(), append(flags, "--rpc", freeAddress(t), "--join", first, "--zone", zone)...))
	}
	return nodes
}

func (c client) store(pk, value string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patientMax)
	defer cancel()
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"pk": str(pk), "value": str(value)}})
	return err
}

// value reads an item strongly.
func (c client) value(pk string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patientMax)
	defer cancel()
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("things"), Key: item{"pk": str(pk)}, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	value, _ := out.Item["value"].(*types.AttributeValueMemberS)
	if value == nil {
		return "", nil
	}
	return value.Value, nil
}

// Three processes are one database: a table made at one node is written at another and read at the third, the death of
// any node that was not the only one with the catalog is survived, and nothing that was answered is lost.
func TestThreeNodes(t *testing.T) {
	nodes := three(t)
	clients := []client{connect(nodes[0]), connect(nodes[1]), connect(nodes[2])}
	clients[0].table(&dynamodb.CreateTableInput{
		TableName:            aws.String("things"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk", types.ScalarAttributeTypeS)}, KeySchema: keyed("pk"),
	})
	want := map[string]string{}
	for i := range clusterItems {
		pk := fmt.Sprintf("item-%d", i)
		if err := clients[1].store(pk, "first"); err != nil {
			t.Fatalf("writing %s at node 2: %v", pk, err)
		}
		want[pk] = "first"
	}
	agree(t, clients[2], want)
	nodes[1].kill()
	killed := time.Now()
	for i := range clusterItems {
		pk := fmt.Sprintf("item-%d", i)
		for {
			err := clients[2*(i%2)].store(pk, "second")
			if err == nil {
				break
			}
			if time.Since(killed) > resumeMax {
				t.Fatalf("writing %s %v after the death of node 2: %v", pk, time.Since(killed), err)
			}
		}
		want[pk] = "second"
	}
	t.Logf("all partitions took writes %v after the death of a node", time.Since(killed).Round(time.Millisecond))
	agree(t, clients[0], want)
	nodes[1].restart()
	agree(t, connect(nodes[1]), want)
}

// Each node in turn dies as by kill -9, also the one that leads the catalog, under a client that writes at the others: the
// partitions that it led take writes again within seconds, what was answered is there, and the node catches up when it is
// started again.
func TestAnyNodeDies(t *testing.T) {
	nodes := three(t)
	connect(nodes[0]).table(&dynamodb.CreateTableInput{
		TableName:            aws.String("things"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk", types.ScalarAttributeTypeS)}, KeySchema: keyed("pk"),
	})
	want := map[string]string{}
	for kill := range *clusterKills {
		healed(t, nodes)
		dead := nodes[kill%len(nodes)]
		alive := connect(nodes[(kill+1)%len(nodes)])
		dead.kill()
		killed := time.Now()
		for i := range clusterItems {
			pk, value := fmt.Sprintf("item-%d", i), fmt.Sprintf("%d-%d", kill, i)
			for err := alive.store(pk, value); err != nil; err = alive.store(pk, value) {
				if time.Since(killed) > resumeMax {
					t.Fatalf("writing %s %v after kill %d: %v", pk, time.Since(killed), kill, err)
				}
			}
			want[pk] = value
		}
		t.Logf("kill %d: all partitions took writes after %v", kill, time.Since(killed).Round(time.Millisecond))
		dead.restart()
		for _, n := range nodes {
			agree(t, connect(n), want)
		}
	}
}

// While every node is stopped and started again, one after the other, clients that try again as the SDK does by itself
// notice nothing.
func TestRollingRestart(t *testing.T) {
	nodes := three(t)
	connect(nodes[0]).table(&dynamodb.CreateTableInput{
		TableName:            aws.String("things"),
		AttributeDefinitions: []types.AttributeDefinition{attribute("pk", types.ScalarAttributeTypeS)}, KeySchema: keyed("pk"),
	})
	healed(t, nodes)
	for i, n := range nodes {
		stop := make(chan struct{})
		var clients sync.WaitGroup
		var done atomic.Int64
		for w := range 4 {
			clients.Go(func() {
				c := patient(nodes[(i+1+w%2)%len(nodes)].endpoint, 0)
				for k := 0; ; k++ {
					select {
					case <-stop:
						return
					default:
					}
					pk := fmt.Sprintf("%d-%d-%d", i, w, k%50)
					_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"pk": str(pk)}})
					if err == nil {
						_, err = c.GetItem(context.Background(), &dynamodb.GetItemInput{
							TableName: aws.String("things"), Key: item{"pk": str(pk)}, ConsistentRead: aws.Bool(true)})
					}
					if err != nil {
						t.Errorf("while node %d restarts: %v", i+1, err)
						return
					}
					done.Add(2)
				}
			})
		}
		time.Sleep(200 * time.Millisecond)
		n.terminate()
		if code := n.exit(stopMax + 5*time.Second); code != 0 {
			t.Errorf("node %d ended with code %d", i+1, code)
		}
		n.restart()
		healed(t, nodes)
		close(stop)
		clients.Wait()
		t.Logf("%d requests were answered while node %d restarted", done.Load(), i+1)
	}
}

// patient is a client that tries so often, 0 is as often as the SDK does by itself.
func patient(endpoint string, tries int) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		RetryMaxAttempts: tries,
	})
}

// healed waits until every partition has all its copies on nodes that live.
func healed(t *testing.T, nodes []*server) {
	t.Helper()
	var said string
	for end := time.Now().Add(settleMax); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		r, err := http.Get("http://" + nodes[0].admin + "/cluster/status")
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		said = string(body)
		var status struct {
			Overview struct {
				Partitions struct{ Total, Whole int }
			}
		}
		if json.Unmarshal(body, &status) == nil && status.Overview.Partitions.Total > 1 &&
			status.Overview.Partitions.Whole == status.Overview.Partitions.Total {
			return
		}
	}
	t.Fatalf("the cluster is not whole: %s", said)
}

// agree reads everything strongly at one node.
func agree(t *testing.T, at client, want map[string]string) {
	t.Helper()
	for pk, value := range want {
		got, err := at.value(pk)
		if err != nil || got != value {
			t.Fatalf("%s is %q, %v; want %q", pk, got, err, value)
		}
	}
}
