package chaos_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// plainTable makes a table with a partition key.
func (c client) plainTable(name string) {
	c.t.Helper()
	c.table(&dynamodb.CreateTableInput{
		TableName: &name, KeySchema: keyed("pk"), AttributeDefinitions: []types.AttributeDefinition{attribute("pk", "S")},
	})
}

// A directory belongs to one process. The second one says so and leaves, and the first goes on.
func TestSecondServer(t *testing.T) {
	s := serve(t, t.TempDir()+"/data")
	c := connect(s)
	c.plainTable("things")
	for _, args := range [][]string{
		{"serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, {"inspect", s.dir}, {"inspect", s.dir, "--compact"},
	} {
		code, out, err := run(args...)
		want := "the data directory " + s.dir + " is in use by another Stator process"
		if err != nil || code != 1 || !strings.Contains(out, want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: exit %d, %v, %q: want 1 and one line with %q", args[0], code, err, out, want)
		}
	}
	if _, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: item{"pk": str("a")}}); err != nil {
		t.Errorf("the first server: %v", err)
	}
}

// SIGTERM: what is under way is finished and answered, what comes later is turned away, and the process ends with code 0.
func TestTerminate(t *testing.T) {
	s := serve(t, t.TempDir()+"/data")
	c := connect(s)
	c.plainTable("things")
	slow := startPut(t, s, "slow")
	var stopping atomic.Bool
	var running sync.WaitGroup
	acknowledged := make([]int, clients)
	for number := range clients {
		running.Go(func() {
			for n := 0; ; n++ {
				_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{
					TableName: aws.String("things"), Item: item{"pk": str(fmt.Sprintf("c%d-%d", number, n))},
				})
				if err != nil {
					if !stopping.Load() || refused(err, "InternalServerError") {
						t.Errorf("client %d: %v", number, err)
					}
					return
				}
				acknowledged[number] = n + 1
			}
		})
	}
	time.Sleep(runOn)
	begun := time.Now()
	stopping.Store(true)
	s.terminate()
	time.Sleep(runOn)
	slow.finish(t)
	if code := s.exit(stopMax); code != 0 {
		t.Errorf("exit %d after SIGTERM, want 0", code)
	}
	t.Logf("the server ended %v after SIGTERM", time.Since(begun).Round(time.Millisecond))
	running.Wait()
	s.restart()
	kept := map[string]bool{}
	for _, i := range connect(s).all("things", "") {
		kept[i["pk"].(*types.AttributeValueMemberS).Value] = true
	}
	if !kept["slow"] {
		t.Error("the put that was under way is lost")
	}
	for number, count := range acknowledged {
		for n := range count {
			if pk := fmt.Sprintf("c%d-%d", number, n); !kept[pk] {
				t.Errorf("%s was acknowledged and is lost", pk)
			}
		}
	}
}

// halfPut is a PutItem of which half has been sent.
type halfPut struct {
	connection net.Conn
	rest       string
}

func startPut(t *testing.T, s *server, pk string) halfPut {
	t.Helper()
	address := strings.TrimPrefix(s.endpoint, "http://")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	body := `{"TableName": "things", "Item": {"pk": {"S": "` + pk + `"}}}`
	request := "POST / HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/x-amz-json-1.0\r\n" +
		"X-Amz-Target: DynamoDB_20120810.PutItem\r\nX-Amz-Date: 20261122T000000Z\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDCHAOS/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n" +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	half := len(request) - len(body)/2
	if _, err := connection.Write([]byte(request[:half])); err != nil {
		t.Fatal(err)
	}
	return halfPut{connection: connection, rest: request[half:]}
}

// finish sends the other half and expects the answer.
func (p halfPut) finish(t *testing.T) {
	t.Helper()
	if err := p.connection.SetDeadline(time.Now().Add(stopMax)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.connection.Write([]byte(p.rest)); err != nil {
		t.Errorf("sending the rest of a request that was under way: %v", err)
		return
	}
	answer, err := http.ReadResponse(bufio.NewReader(p.connection), nil)
	if err != nil {
		t.Errorf("the answer to a request that was under way: %v", err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("a request that was under way is answered with %s", answer.Status)
	}
}
