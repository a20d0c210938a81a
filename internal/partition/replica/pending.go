package replica

import (
	"bytes"
	"fmt"

	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Lock is a lock of one of the partition's items.
type Lock struct {
	Suffix []byte
	record.Lock
}

// Transaction is the record of a transaction that begins in the partition.
type Transaction struct {
	Suffix []byte
	record.Transaction
}

// Locks lists the partition's locks behind a key suffix, nil for the first ones, until there are enough. What is not durable
// yet is among them: whoever acts on a lock asks the log.
func (r *Replica) Locks(after []byte, enough int) ([]Lock, error) {
	var locks []Lock
	err := r.pending(keys.SpaceLock, after, enough, func(suffix, value []byte) error {
		lock, err := record.ParseLock(value)
		locks = append(locks, Lock{Suffix: suffix, Lock: lock})
		return err
	})
	return locks, err
}

// Transactions lists records as Locks does locks.
func (r *Replica) Transactions(after []byte, enough int) ([]Transaction, error) {
	var found []Transaction
	err := r.pending(keys.SpaceTransaction, after, enough, func(suffix, value []byte) error {
		transaction, err := record.ParseTransaction(value)
		found = append(found, Transaction{Suffix: suffix, Transaction: transaction})
		return err
	})
	return found, err
}

func (r *Replica) pending(space keys.Space, after []byte, enough int, each func(suffix, value []byte) error) error {
	d := r.State().Descriptor
	from := d.Bounds.Lower
	if len(after) > 0 && d.Bounds.Holds(after) {
		from = append(bytes.Clone(after), 0)
	}
	iterator, err := r.options.Engine.Iter(keys.Span(space, d.Table, from, d.Bounds.Upper))
	if err != nil {
		return fmt.Errorf("looking for what is pending in partition %d: %w", d.Partition, err)
	}
	defer iterator.Close()
	prefixBytes := len(keys.Prefix(space, d.Table))
	for ok := iterator.First(); ok && enough > 0; ok = iterator.Next() {
		value, err := iterator.Value()
		if err == nil {
			err = each(bytes.Clone(iterator.Key()[prefixBytes:]), bytes.Clone(value))
		}
		if err != nil {
			return fmt.Errorf("reading what is pending in partition %d: %w", d.Partition, err)
		}
		enough--
	}
	return iterator.Err()
}
