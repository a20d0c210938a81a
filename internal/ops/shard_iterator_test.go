package ops

import (
	"encoding/base64"
	"errors"
	"testing"

	"stator/internal/model/api"
)

// FuzzIterator holds that any text is opened or refused as an iterator, a shard's name and a sequence number, and that what
// names a shard or a change is what we would write.
func FuzzIterator(f *testing.F) {
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/pair/stream/2026-01-01T00:00:00.000"
	ops, _ := newTestOps(f)
	f.Add("")
	f.Add("000000000000000000001")
	f.Add(sequenceNumber(7))
	f.Add("shardId-00000000000000000001-00000002")
	f.Add(arn + iteratorFormat)
	f.Add(arn + iteratorFormat + base64.StdEncoding.EncodeToString(make([]byte, iteratorBytes+iteratorSumBytes)))
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := ops.openIterator(text); err != nil {
			if _, ok := errors.AsType[*api.Error](err); !ok {
				t.Errorf("%v of type %T", err, err)
			}
		}
		if name, ok := shardNamed(text); ok && shardID(name) != text {
			t.Errorf("the shard %q is called %q", text, shardID(name))
		}
		if sequence, ok := sequenceOf(text); ok {
			if again, ok := sequenceOf(sequenceNumber(sequence)); !ok || again != sequence {
				t.Errorf("the change %d is read again as %d, %v", sequence, again, ok)
			}
		}
	})
}
