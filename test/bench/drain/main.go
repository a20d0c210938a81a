// Command drain reads a table's stream to its end, all shards side by side, and says how fast: records are counted and not
// decoded, so that the server is what is measured.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const authorization = "AWS4-HMAC-SHA256 Credential=drain/20260101/us-east-1/dynamodb/aws4_request, " +
	"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000"

type client struct{ endpoint string }

// call returns the answer's body.
func (c client) call(operation string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+operation)
	request.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", operation, response.Status, answer)
	}
	return answer, err
}

func (c client) decode(operation string, in, out any) error {
	answer, err := c.call(operation, in)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// shards lists a stream's shards.
func (c client) shards(stream string) ([]string, error) {
	var described struct {
		StreamDescription struct {
			Shards []struct {
				ShardID string `json:"ShardId"`
			}
		}
	}
	if err := c.decode("DescribeStream", map[string]any{"StreamArn": stream}, &described); err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range described.StreamDescription.Shards {
		ids = append(ids, s.ShardID)
	}
	return ids, nil
}

// read reads a shard until a page is empty, and counts what it reads.
func (c client) read(stream, shard string, records, size *atomic.Int64) error {
	var first struct{ ShardIterator string }
	in := map[string]any{"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
	if err := c.decode("GetShardIterator", in, &first); err != nil {
		return err
	}
	for next := first.ShardIterator; next != ""; {
		page, err := c.call("GetRecords", map[string]any{"ShardIterator": next})
		if err != nil {
			return err
		}
		n := bytes.Count(page, []byte(`"eventID"`))
		if n == 0 {
			return nil
		}
		records.Add(int64(n))
		size.Add(int64(len(page)))
		next = member(page, `"NextShardIterator":"`)
	}
	return nil
}

// member is the text after a mark up to the next quote.
func member(page []byte, mark string) string {
	_, rest, found := bytes.Cut(page, []byte(mark))
	if !found {
		return ""
	}
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(text)
}

func run(c client, table string) error {
	var listed struct{ Streams []struct{ StreamArn string } }
	if err := c.decode("ListStreams", map[string]any{"TableName": table}, &listed); err != nil {
		return err
	}
	if len(listed.Streams) == 0 {
		return fmt.Errorf("table %s has no stream", table)
	}
	stream := listed.Streams[0].StreamArn
	shards, err := c.shards(stream)
	if err != nil {
		return err
	}
	var records, size atomic.Int64
	var failed atomic.Value
	var reading sync.WaitGroup
	began := time.Now()
	for _, shard := range shards {
		reading.Go(func() {
			if err := c.read(stream, shard, &records, &size); err != nil {
				failed.Store(err)
			}
		})
	}
	reading.Wait()
	took := time.Since(began).Seconds()
	fmt.Printf("%d shards, %d records, %.0f MB in %.2f s: %.0f records/s\n",
		len(shards), records.Load(), float64(size.Load())/1e6, took, float64(records.Load())/took)
	if err, ok := failed.Load().(error); ok {
		return err
	}
	return nil
}

func main() {
	endpoint := flag.String("endpoint", "http://127.0.0.1:8000", "where the server is")
	table := flag.String("table", "ddbload", "whose stream to read")
	flag.Parse()
	if err := run(client{*endpoint}, *table); err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}
