package replica

import (
	"encoding/binary"
	"fmt"

	"stator/internal/storage/keys"
)

// Due is a place in the index of expiry: an item's key suffix by the second at which the item expires. Without a key it is
// the beginning of its second.
type Due struct {
	Second uint64
	Key    []byte
}

// Due lists the entries of expiry that follow from, and from itself, up to the second last, limit at most; next is the
// entry after those, at second 0 if there is none. What it shows need not be durable, nor borne out by an item: an Expire
// looks again.
func (r *Replica) Due(from Due, last uint64, limit int) (due []Due, next Due, err error) {
	id := r.options.Partition
	prefix := keys.Prefix(keys.SpaceExpiry, id)
	iterator, err := r.options.Engine.Iter(keys.Expiry(id, from.Second, from.Key), keys.SuccessorPrefix(prefix))
	if err != nil {
		return nil, Due{}, fmt.Errorf("reading the index of expiry of partition %d: %w", id, err)
	}
	defer func() {
		if closed := iterator.Close(); err == nil && closed != nil {
			err = fmt.Errorf("reading the index of expiry of partition %d: %w", id, closed)
		}
	}()
	for ok := iterator.First(); ok; ok = iterator.Next() {
		key := iterator.Key()[len(prefix):]
		entry := Due{Second: binary.BigEndian.Uint64(key), Key: append([]byte(nil), key[8:]...)}
		if entry.Second > last || len(due) == limit {
			return due, entry, nil
		}
		due = append(due, entry)
	}
	return due, Due{}, nil
}
