package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	crowd          = 500
	announcedBytes = 16 << 20
	sentBytes      = 8 << 20
	crowdFor       = 3 * time.Second
	// residentBytesMax is what the issue allows the process in memory.
	residentBytesMax = 600 << 20
	putsAtLeast      = 20
)

var resident = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// Many clients that announce the largest body and send half of it hold no more memory than they are given, and whoever asks
// meanwhile is served.
func TestHalfSentBodies(t *testing.T) {
	s := serve(t, t.TempDir()+"/data")
	c := connect(s)
	c.plainTable("things")
	half := []byte(strings.Repeat("x", sentBytes))
	var running sync.WaitGroup
	leave := make([]io.Closer, 0, crowd)
	for range crowd {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.endpoint, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, connection)
		running.Go(func() {
			// The server may read none of it, or end the connection: whatever it likes.
			_, _ = fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"+
				"X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: %d\r\n\r\n", announcedBytes)
			_, _ = connection.Write(half)
		})
	}
	puts, slowest := 0, time.Duration(0)
	for end := time.Now().Add(crowdFor); puts < putsAtLeast || time.Now().Before(end); puts++ {
		begun := time.Now()
		_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: large(strconv.Itoa(puts), largeBytes)})
		if err != nil {
			t.Fatalf("a put beside the crowd: %v", err)
		}
		slowest = max(slowest, time.Since(begun))
	}
	for _, connection := range leave {
		connection.Close()
	}
	running.Wait()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		t.Skipf("how much memory a process takes cannot be read here: %v", err)
	}
	kilobytes, err := strconv.Atoi(string(resident.FindSubmatch(status)[1]))
	if err != nil {
		t.Fatal(err)
	}
	if kilobytes<<10 > residentBytesMax {
		t.Errorf("%d clients made the server take %d MiB, more than %d", crowd, kilobytes>>10, residentBytesMax>>20)
	}
	t.Logf("%d MiB at most, %d puts, the slowest after %v", kilobytes>>10, puts, slowest.Round(time.Millisecond))
}
