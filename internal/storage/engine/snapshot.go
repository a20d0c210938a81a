package engine

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Snapshot is the store as it was when the snapshot was taken. It keeps what is overwritten from going, so it lives as
// long as one page of a read, or one step of a job. What a Replacement took out since it does not show: it says ErrReplaced.
type Snapshot struct {
	e *Engine
	s *pebble.Snapshot
	// since is how many excises had settled.
	since uint64
}

// Snapshot freezes a view of everything committed so far, durable or not.
func (e *Engine) Snapshot() *Snapshot {
	since := e.excises.settled.Load()
	return &Snapshot{e: e, s: e.db.NewSnapshot(), since: since}
}

// Get reads one key as Engine.Get does.
func (s *Snapshot) Get(key []byte) (value []byte, found bool, err error) {
	stored, closer, err := s.s.Get(key)
	value, found, err = s.e.got(nil, stored, closer, err)
	if missed := s.e.excises.missedKey(s.since, key); missed != nil && err == nil {
		return value[:0], false, missed
	}
	return value, found, err
}

// Iter walks [lower, upper); nil bounds are the ends of the store. It stands nowhere until it is positioned.
func (s *Snapshot) Iter(lower, upper []byte) (*Iterator, error) {
	it, err := s.s.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, s.e.fault("opening an iterator", err)
	}
	return s.e.iterator(it, s.since, lower, upper)
}

// Close lets the view go. Iterators made of it live on.
func (s *Snapshot) Close() error {
	if err := s.s.Close(); err != nil {
		return s.e.fault("closing a snapshot", err)
	}
	return nil
}

// Iterator walks keys in order, both ways. Values are read when asked for. It is used by one goroutine.
type Iterator struct {
	e  *Engine
	it *pebble.Iterator
}

// Iter walks [lower, upper) of the store as it is now: a snapshot of its own, cheaper than Snapshot when one range is all
// that is read.
func (e *Engine) Iter(lower, upper []byte) (*Iterator, error) {
	since := e.excises.settled.Load()
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, e.fault("opening an iterator", err)
	}
	return e.iterator(it, since, lower, upper)
}

// iterator makes one that stands on the files it was opened with, so only what was taken out before it was is missing.
func (e *Engine) iterator(it *pebble.Iterator, since uint64, lower, upper []byte) (*Iterator, error) {
	if missed := e.excises.missed(since, lower, upper); missed != nil {
		return nil, errors.Join(missed, it.Close())
	}
	e.ranged(lower)
	e.compactions.ranges.Add(1)
	return &Iterator{e: e, it: it}, nil
}

// First goes to the first key of the bounds. Like every move it tells whether it stands on a key: when not, Err says
// whether that is the end or a fault.
func (i *Iterator) First() bool { return i.it.First() }

// Last goes to the last key of the bounds.
func (i *Iterator) Last() bool { return i.it.Last() }

// SeekGE goes to the first key at or after key, within the bounds.
func (i *Iterator) SeekGE(key []byte) bool { return i.it.SeekGE(key) }

// SeekLT goes to the last key before key, within the bounds.
func (i *Iterator) SeekLT(key []byte) bool { return i.it.SeekLT(key) }

// Next goes to the following key.
func (i *Iterator) Next() bool { return i.it.Next() }

// Prev goes to the preceding key.
func (i *Iterator) Prev() bool { return i.it.Prev() }

// Valid tells whether the iterator stands on a key.
func (i *Iterator) Valid() bool { return i.it.Valid() }

// Key is the key stood on; it is good until the next move.
func (i *Iterator) Key() []byte { return i.it.Key() }

// Value is the value stood on; it is good until the next move.
func (i *Iterator) Value() ([]byte, error) {
	value, err := i.it.ValueAndErr()
	if err != nil {
		return nil, i.e.fault("reading a value", err)
	}
	return value, nil
}

// Err is why the last move ended, nil at the end of the bounds.
func (i *Iterator) Err() error {
	if err := i.it.Error(); err != nil {
		return i.e.fault("walking keys", err)
	}
	return nil
}

// Close releases the iterator. It must be called, and returns what Err would.
func (i *Iterator) Close() error {
	if err := i.it.Close(); err != nil {
		return i.e.fault("walking keys", err)
	}
	return nil
}
