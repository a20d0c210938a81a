package ops

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// StreamCalls is the table of built operations of DynamoDB Streams by name.
func (o *Ops) StreamCalls() map[string]api.Call {
	return map[string]api.Call{
		"ListStreams":      api.Bind(o.ListStreams),
		"DescribeStream":   api.Bind(o.DescribeStream),
		"GetShardIterator": api.Bind(o.GetShardIterator),
		"GetRecords":       counted(o, "GetRecords", o.GetRecords),
	}
}

// streamPath stands between a table's ARN and a stream's label.
const streamPath = "/stream/"

// streamARN names a stream.
func (o *Ops) streamARN(t *table.Table, s *table.Stream) string {
	return o.tableARN(t) + streamPath + s.Label()
}

// openStream is a stream that can be read, with its table.
type openStream struct {
	table  *table.Table
	stream *table.Stream
	arn    string // as the request gave it
}

// streamOf finds the stream that an ARN names, as this node knows it. The streams of a table go with it.
func (o *Ops) streamOf(arn string) (openStream, error) {
	name, label, err := o.splitStreamARN(arn)
	if err != nil {
		return openStream{}, err
	}
	t, ok := o.catalog.Table(name)
	if !ok || t.State == table.Deleting {
		return openStream{}, streamMissing(arn)
	}
	s, ok := t.StreamByLabel(label)
	if !ok {
		return openStream{}, streamMissing(arn)
	}
	return openStream{table: t, stream: s, arn: arn}, nil
}

// splitStreamARN takes an ARN apart. One of another region or account has a table name that no table has.
func (o *Ops) splitStreamARN(arn string) (tableName, label string, err error) {
	head, label, ok := strings.Cut(arn, streamPath)
	parts := strings.SplitN(head, ":", 6)
	if !ok || len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") {
		return "", "", api.NewValidationException("Invalid StreamArn")
	}
	return o.tableName(head), label, nil
}

func streamMissing(arn string) error {
	return api.NewResourceNotFoundException("Requested resource not found: Stream: " + arn + " not found")
}

func (s openStream) place(name command.ShardName) command.ShardPlace {
	return command.ShardPlace{Table: s.table.ID, Stream: s.stream.CreatedMillis, Name: name}
}

// shardID is how a shard is called: ids sort as the names do, parents before children (semantics §14.6).
func shardID(name command.ShardName) string {
	return fmt.Sprintf("shardId-%020d-%08x", name.Partition, name.Generation)
}

// shardNamed reads what shardID wrote.
func shardNamed(id string) (name command.ShardName, ok bool) {
	digits, hex, ok := strings.Cut(strings.TrimPrefix(id, "shardId-"), "-")
	if !ok {
		return name, false
	}
	var failed, broken error
	name.Partition, failed = strconv.ParseUint(digits, 10, 64)
	name.Generation, broken = strconv.ParseUint(hex, 16, 64)
	return name, failed == nil && broken == nil && shardID(name) == id
}

func shardMissing() error {
	return api.NewResourceNotFoundException("Requested resource not found: Shard does not exist")
}

// sequenceNumber is a change's place in its partition's log as 21 digits, of which the first is always 1: a number of at
// least the 21 digits that clients ask for, which rises through a shard, and on through its children.
func sequenceNumber(sequence uint64) string {
	var b [21]byte
	b[0] = '1'
	for i := len(b) - 1; i > 0; i-- {
		b[i] = byte('0' + sequence%10)
		sequence /= 10
	}
	return string(b[:])
}

var sequenceBase, _ = new(big.Int).SetString("100000000000000000000", 10)

// sequenceOf reads a sequence number, which may be one that no shard has: below all it is 0, above all the largest there is.
func sequenceOf(number string) (sequence uint64, ok bool) {
	for _, digit := range []byte(number) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
	}
	n, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return 0, false
	}
	n.Sub(n, sequenceBase)
	switch {
	case n.Sign() < 0:
		return 0, true
	case !n.IsUint64():
		return math.MaxUint64, true
	}
	return n.Uint64(), true
}

func dataTrimmed() error {
	return api.NewTrimmedDataAccessException("The data you are trying to access has been trimmed")
}
