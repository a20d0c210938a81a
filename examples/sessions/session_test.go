package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
	"stator/internal/storage/engine"
)

// cluster is three nodes in this process, and clients of each.
func cluster(t *testing.T) []*dynamodb.Client {
	t.Helper()
	var nodes []*node.Node
	t.Cleanup(func() {
		var closing sync.WaitGroup
		for _, n := range nodes {
			closing.Go(func() { _ = n.Close() })
		}
		closing.Wait()
	})
	var clients []*dynamodb.Client
	first := ""
	for range 3 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		m := &node.Membership{Listener: listener, Address: listener.Addr().String(), Replicas: 3, Timeout: 20 * time.Second}
		if m.Init = first == ""; m.Init {
			first = m.Address
		} else {
			m.Join = []string{first}
		}
		n, err := node.Open(t.Context(), node.Options{Data: "data", FS: engine.Memory(), DiskReserve: -1, Membership: m, Partitions: 4})
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
		clients = append(clients, client(t, n))
	}
	return clients
}

// client is the SDK's, which verifies that the header is signed with the rest.
func client(t *testing.T, n *node.Node) *dynamodb.Client {
	t.Helper()
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ring := sigv4.NewRing([]sigv4.Credential{{AccessKeyID: "local", SecretAccessKey: "local"}})
	protocol := httpapi.New(httpapi.Options{
		Calls: n.Calls(), Auth: sigv4.NewVerifier("us-east-1", ring, clock.System{}), Budget: httpapi.NewBudget(64 << 20), IDs: ids,
		Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Region: "us-east-1", Cluster: n.ClusterID(),
	})
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://stator.internal"), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient: &http.Client{Transport: &httpapi.Transport{Protocol: protocol}},
	})
}

const testRounds = 50

// An eventual read of any node shows what the session wrote at another.
func TestReadsItsOwnWrites(t *testing.T) {
	nodes := cluster(t)
	if err := create(t.Context(), nodes[0], "counts"); err != nil {
		t.Fatal(err)
	}
	s := newSession()
	c := &counter{nodes: nodes, table: "counts"}
	if old, err := c.count(t.Context(), s, testRounds); old != 0 || err != nil {
		t.Errorf("%d reads were old, %v", old, err)
	}
	if s.text() == "new" {
		t.Error("the session has seen nothing")
	}
	without, err := c.count(t.Context(), nil, testRounds)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("without a session %d of %d reads were old", without, testRounds*len(nodes))
}

// Answers to requests that were under way side by side are kept until one has seen them all.
func TestAnswersSideBySide(t *testing.T) {
	s := newSession()
	s.answered("new", "a")
	s.answered("new", "b")
	if s.text() != "a,b" {
		t.Errorf("after two answers to nothing the session is %s", s.text())
	}
	s.answered("a", "c")
	s.answered("b,a", "d")
	if s.text() != "c,d" {
		t.Errorf("after an answer to one and one to both it is %s", s.text())
	}
	s.answered("c,d", "d")
	for i := range answersMax {
		s.answered("", fmt.Sprint(i))
	}
	if s.text() != "strong" {
		t.Errorf("with too many it is %s", s.text())
	}
}

// A refusal is an answer, and the session takes along what it was decided over.
func TestRefusalsAreSeen(t *testing.T) {
	nodes := cluster(t)
	if err := create(t.Context(), nodes[0], "counts"); err != nil {
		t.Fatal(err)
	}
	s := newSession()
	_, err := nodes[1].PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: aws.String("counts"), ConditionExpression: aws.String("attribute_exists(pk)"),
		Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "nobody"}},
	}, s.of)
	if err == nil || s.text() == "new" {
		t.Errorf("the session is %s after %v", s.text(), err)
	}
}
