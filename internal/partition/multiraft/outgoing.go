package multiraft

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"stator/internal/base/wire"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
)

// Outgoing is a replica's state as it was at one position of its raft log, to be sent. It is read in the order of its
// spans, by one goroutine, which tells at the end that it is Done. Until then the store keeps what is
// overwritten.
type Outgoing struct {
	snapshot *engine.Snapshot
	spans    []machine.Range
	// next is the span being read, and from where the next chunk begins in it.
	next         int
	from         []byte
	number, rows uint64
	ended        bool
	chunk        []byte
	// at is the position that is frozen; host, group and replica are whose it is and for whom.
	at             mark
	host           *Host
	group, replica uint64
}

// newOutgoing freezes the state of a partition. What it is it reads through what it froze.
func newOutgoing(e *engine.Engine, partition uint64) (*Outgoing, *snapshotHeader, error) {
	o := &Outgoing{snapshot: e.Snapshot()}
	header, err := o.header(partition)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("freezing partition %d: %w", partition, err), o.close())
	}
	o.spans = machine.Spans(header.descriptor)
	o.from = o.spans[0].Lower
	return o, header, nil
}

func (o *Outgoing) header(partition uint64) (*snapshotHeader, error) {
	d, found, err := machine.ReadRecord(o.snapshot, machine.DescriptorKey(partition), machine.ParseDescriptor)
	if err != nil {
		return nil, err
	}
	at, placed, err := machine.ReadRecord(o.snapshot, positionKey(partition), parsePosition)
	if err != nil {
		return nil, err
	}
	if !found || !placed {
		return nil, errAbsent
	}
	o.at = at.mark
	return &snapshotHeader{descriptor: d}, nil
}

var errAbsent = errors.New("no group keeps it here")

// Next brings the next chunk, good until the call after, and io.EOF after the last. One that fails says so for ever: the
// snapshot is to be begun anew. (What it shows may have been replaced by a snapshot that came to this replica.)
//
// Each chunk opens its own iterator: one that lived as long as the transfer would keep memtables and tables from going.
func (o *Outgoing) Next() ([]byte, error) {
	if o.ended {
		return nil, io.EOF
	}
	for o.next < len(o.spans) {
		full, err := o.fill()
		if err != nil {
			return nil, fmt.Errorf("reading a snapshot to send it: %w", err)
		}
		if full {
			return o.sealed(), nil
		}
	}
	o.ended = true
	o.chunk = endChunk(o.chunk[:0], o.number, o.rows)
	return o.sealed(), nil
}

// fill puts rows of the current span into the chunk, and tells whether there were any. What is not full ends the span.
func (o *Outgoing) fill() (some bool, err error) {
	it, err := o.snapshot.Iter(o.from, o.spans[o.next].Upper)
	if err != nil {
		return false, err
	}
	defer func() {
		if closed := it.Close(); err == nil {
			err = closed
		}
	}()
	o.chunk = beginChunk(o.chunk[:0], o.number, o.next)
	for ok := it.First(); ok; ok = it.Next() {
		if len(o.chunk) >= chunkBytesMax {
			o.from = bytes.Clone(it.Key())
			return true, nil
		}
		value, err := it.Value()
		if err != nil {
			return false, err
		}
		o.chunk = wire.AppendBytes(wire.AppendBytes(o.chunk, it.Key()), value)
		o.rows++
		some = true
	}
	if err := it.Err(); err != nil {
		return false, err
	}
	if o.next++; o.next < len(o.spans) {
		o.from = o.spans[o.next].Lower
	}
	return some, nil
}

func (o *Outgoing) sealed() []byte {
	o.number++
	o.chunk = appendSum(o.chunk)
	return o.chunk
}

// Done lets the state go and tells whether it was sent and taken over, or why not. It is called once, from any goroutine.
func (o *Outgoing) Done(err error) {
	err = errors.Join(err, o.close())
	o.host.snapshotDone(o.group, o.replica, err)
}

func (o *Outgoing) close() error { return o.snapshot.Close() }
