package ops

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// iteratorAgeMax is how long an iterator can be used (semantics §14.7).
const iteratorAgeMax = 15 * time.Minute

// iterator is a place in a shard before the change next.
type iterator struct {
	shard      command.ShardName
	next       uint64
	madeMillis int64
}

// An iterator looks like the service's: the stream's ARN, a format number and what only we can read, between bars. The
// stream stands in the clear, so that who may read it can be decided before anything else is looked at.
const (
	iteratorFormat   = "|1|"
	iteratorBytes    = 4 * 8
	iteratorSumBytes = 8
)

// encode writes the iterator.
func (it iterator) encode(s openStream) string {
	var b [iteratorBytes + iteratorSumBytes]byte
	for i, n := range [4]uint64{it.shard.Partition, it.shard.Generation, it.next, uint64(it.madeMillis)} {
		binary.BigEndian.PutUint64(b[8*i:], n)
	}
	copy(b[iteratorBytes:], iteratorSum(s.table, s.arn, b[:iteratorBytes]))
	return s.arn + iteratorFormat + base64.StdEncoding.EncodeToString(b[:])
}

// iteratorSum tells an iterator that somebody changed, or that an earlier table of the same name gave out. It is no
// secret: an iterator opens nothing that its stream's ARN would not.
func iteratorSum(t *table.Table, arn string, b []byte) []byte {
	sum := sha256.New()
	for _, part := range []string{t.UUID, arn} {
		_, _ = sum.Write([]byte(part)) // a hash takes everything
	}
	_, _ = sum.Write(b)
	return sum.Sum(nil)[:iteratorSumBytes]
}

// openIterator reads what encode wrote, with its stream.
func (o *Ops) openIterator(text string) (openStream, iterator, error) {
	arn, rest, ok := strings.Cut(text, iteratorFormat)
	b, err := base64.StdEncoding.DecodeString(rest)
	if !ok || err != nil || len(b) != iteratorBytes+iteratorSumBytes {
		return openStream{}, iterator{}, iteratorInvalid()
	}
	if _, _, err := o.splitStreamARN(arn); err != nil {
		return openStream{}, iterator{}, iteratorInvalid()
	}
	s, err := o.streamOf(arn)
	if err != nil {
		return openStream{}, iterator{}, err
	}
	if string(b[iteratorBytes:]) != string(iteratorSum(s.table, arn, b[:iteratorBytes])) {
		return openStream{}, iterator{}, iteratorInvalid()
	}
	it := iterator{
		shard: command.ShardName{Partition: binary.BigEndian.Uint64(b), Generation: binary.BigEndian.Uint64(b[8:])},
		next:  binary.BigEndian.Uint64(b[16:]), madeMillis: int64(binary.BigEndian.Uint64(b[24:])),
	}
	if o.now().UnixMilli()-it.madeMillis > iteratorAgeMax.Milliseconds() {
		return openStream{}, iterator{}, api.NewExpiredIteratorException("Shard iterator has expired")
	}
	return s, it, nil
}

func iteratorInvalid() error { return api.NewValidationException("Invalid ShardIterator") }
