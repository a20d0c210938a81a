package machine

import (
	"errors"
	"fmt"

	"stator/internal/storage/keys"
)

// partNames are the records of a partition's state. The first two are there from its birth on, the others where there is something
// to say.
var partNames = []string{
	nameDescriptor, nameApplied, nameTable, nameCursors, nameShards, nameStreams, nameBackfills, nameExpiry,
}

// Load reads the state of a partition; found is false where none was born.
func Load(from Reader, partition uint64) (p Part, found bool, err error) {
	for _, name := range partNames {
		value, there, err := from.Get(keys.Part(partition, name))
		switch {
		case err != nil:
		case !there && name == nameDescriptor:
			return p, false, nil
		case !there && name == nameApplied:
			err = errMissing
		case there && len(value) == 0: // which take would have for a record that goes
			err = errors.New("it is empty")
		case there:
			err = p.take(name, value)
		}
		if err != nil {
			return p, false, fmt.Errorf("reading %s of partition %d: %w", name, partition, err)
		}
	}
	return p, true, nil
}

var errMissing = errors.New("it is missing")

// LoadDescriptor reads the descriptor of a partition that is here.
func LoadDescriptor(from Reader, partition uint64) (Descriptor, error) {
	return needed(from, DescriptorKey(partition), ParseDescriptor)
}

// LoadApplied reads the applied state of a partition that is here.
func LoadApplied(from Reader, partition uint64) (Applied, error) {
	return needed(from, keys.Part(partition, nameApplied), ParseApplied)
}

func needed[T any](from Reader, key []byte, parse func([]byte) (T, error)) (T, error) {
	v, found, err := ReadRecord(from, key, parse)
	if err == nil && !found {
		err = fmt.Errorf("reading %s: %w", keys.Describe(key), errMissing)
	}
	return v, err
}

// ReadRecord reads and parses one record; found is false where there is none.
func ReadRecord[T any](from Reader, key []byte, parse func([]byte) (T, error)) (v T, found bool, err error) {
	b, found, err := from.Get(key)
	if err == nil && found {
		v, err = parse(b)
	}
	if err != nil {
		return v, false, fmt.Errorf("reading %s: %w", keys.Describe(key), err)
	}
	return v, found, nil
}
