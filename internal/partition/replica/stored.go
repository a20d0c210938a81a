package replica

import (
	"encoding/binary"
	"errors"
	"fmt"

	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// Stored lists the partitions that have a state in a store.
func Stored(e *engine.Engine) (ids []uint64, err error) {
	space := []byte{byte(keys.SpacePart)}
	it, err := e.Iter(space, keys.SuccessorPrefix(space))
	if err != nil {
		return nil, fmt.Errorf("listing partitions: %w", err)
	}
	for ok := it.First(); ok; {
		id := binary.BigEndian.Uint64(it.Key()[len(space):])
		ids = append(ids, id)
		ok = it.SeekGE(keys.SuccessorPrefix(keys.Prefix(keys.SpacePart, id)))
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		return nil, fmt.Errorf("listing partitions: %w", err)
	}
	return ids, nil
}
