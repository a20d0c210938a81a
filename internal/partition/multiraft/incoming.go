package multiraft

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/base/wire"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// tableBytesMax ends a file of a snapshot.
const tableBytesMax = 32 << 20

var (
	errNoRoom   = errors.New("there is no room on the disk for a snapshot")
	errMoved    = errors.New("the replica has changed since the snapshot began to come")
	errUnended  = errors.New("a snapshot ended before its last chunk")
	errStranger = errors.New("a snapshot brings keys that are not its partition's")
)

// Incoming is a snapshot on its way in: what comes is written into files beside the store, which nothing reads before a
// worker takes all of them over at once. It is used by one goroutine, until it is given to the worker.
//
// Everything that the replica had goes, also what lies outside of the bounds that come: it may have missed a split, and
// what its parent half had of the other half is not the partition's any more.
//
// Invariant: replaces is what the replica was when the spans were laid out, and no other replica here holds a key in
// them, nor comes to while this one is on its way (see arrivals).
type Incoming struct {
	engine   *engine.Engine
	arrivals *arrivals
	header   *snapshotHeader
	// host, replica, message and at are whose it is, what the raft library is told of it, and which position it is of.
	host        *Host
	replica     uint64
	message     *raftpb.Message
	at          mark
	replaces    machine.Descriptor
	isNew       bool
	replacement *engine.Replacement
	// place is among the arrivals, with the bounds of all that goes; spans are what comes, laid what goes.
	place       *place
	spans, laid []machine.Range
	// next is the number of the next chunk, span that of the span which is laid out, -1 before the first.
	next, rows uint64
	span       int
	last       []byte
	ended      bool
}

// newIncoming begins a snapshot of this header. Its place among the arrivals is taken first and what is here looked at
// then: what arrived before is in the store, and what arrives meanwhile is among them.
func newIncoming(e *engine.Engine, all *arrivals, header *snapshotHeader) (in *Incoming, err error) {
	if e.Space().Low() {
		return nil, errNoRoom
	}
	d := &header.descriptor
	in = &Incoming{engine: e, arrivals: all, header: header, span: -1}
	if in.replaces, in.isNew, err = replaced(e, d.Partition); err != nil {
		return nil, err
	}
	bounds := d.Bounds
	if !in.isNew {
		if in.replaces.Table != d.Table {
			return nil, errStranger
		}
		bounds = joined(in.replaces.Bounds, d.Bounds)
	}
	in.place = &place{partition: d.Partition, table: d.Table, bounds: bounds}
	if err := all.take(in.place); err != nil {
		return nil, err
	}
	if err := in.begin(); err != nil {
		all.leave(in.place)
		return nil, err
	}
	return in, nil
}

// begin looks at what is here and lays out the spans.
func (in *Incoming) begin() error {
	d := &in.header.descriptor
	err := in.current()
	if err == nil {
		err = alone(in.engine, in.place)
	}
	if err != nil {
		return err
	}
	before := *d
	before.Bounds = in.place.bounds
	in.spans, in.laid = machine.Spans(*d), machine.Spans(before)
	if in.replacement, err = in.engine.NewReplacement(tableBytesMax); err != nil {
		return fmt.Errorf("beginning a snapshot of partition %d: %w", d.Partition, err)
	}
	return nil
}

// replaced is the descriptor of the replica that is here; isNew tells that there is none with data.
func replaced(e *engine.Engine, partition uint64) (d machine.Descriptor, isNew bool, err error) {
	d, found, err := machine.ReadRecord(e, machine.DescriptorKey(partition), machine.ParseDescriptor)
	return d, !found, err
}

// alone refuses partitions where another one of their table here holds some of the keys they lay out: one of the two has not
// performed a split yet, and would lose them.
func alone(e *engine.Engine, places ...*place) error {
	if len(places) == 0 {
		return nil
	}
	return eachDescriptor(e, func(o *machine.Descriptor) error {
		for _, p := range places {
			if o.Partition != p.partition && o.Table == p.table && overlap(o.Bounds, p.bounds) {
				return fmt.Errorf("partition %d cannot come while partition %d holds some of its keys here", p.partition, o.Partition)
			}
		}
		return nil
	})
}

// eachDescriptor calls f with the descriptor of every partition in the store.
func eachDescriptor(e *engine.Engine, f func(*machine.Descriptor) error) (err error) {
	all := machine.Range{Lower: []byte{byte(keys.SpacePart)}, Upper: []byte{byte(keys.SpacePart) + 1}}
	it, err := e.Iter(all.Lower, all.Upper)
	if err != nil {
		return fmt.Errorf("looking at all partitions: %w", err)
	}
	defer func() {
		if closed := it.Close(); err == nil {
			err = closed
		}
	}()
	for ok := it.First(); ok; {
		id := partitionOf(it.Key())
		key := machine.DescriptorKey(id)
		if it.SeekGE(key) && bytes.Equal(it.Key(), key) {
			value, err := it.Value()
			if err != nil {
				return err
			}
			d, err := machine.ParseDescriptor(value)
			if err != nil {
				return fmt.Errorf("reading the descriptor of partition %d: %w", id, err)
			}
			if err := f(&d); err != nil {
				return err
			}
		}
		ok = it.SeekGE(machine.Whole(keys.SpacePart, id).Upper)
	}
	return it.Err()
}

// Write takes the next chunk. After an error the snapshot is to be given up.
func (in *Incoming) Write(data []byte) error {
	c, err := parseChunk(data)
	if err != nil {
		return err
	}
	if c.number != in.next || in.ended {
		return errChunk
	}
	in.next++
	if c.kind == chunkEnd {
		if c.total != in.rows {
			return errUnended
		}
		in.ended = true
		return in.advance(len(in.laid) - 1)
	}
	if in.engine.Space().Low() {
		return errNoRoom
	}
	return in.write(&c)
}

// write puts rows of one span into the files.
func (in *Incoming) write(c *chunk) error {
	if err := in.advance(int(c.span)); err != nil {
		return err
	}
	r := wire.NewReader(c.rows)
	for !r.Empty() {
		key, value := r.Part(), r.Part()
		if r.Failed() {
			return errChunk
		}
		// The engine holds what it is given for what we mean, so what a stranger sent is looked at here.
		if !holds(in.spans[in.span], key) {
			return errStranger
		}
		if in.last != nil && bytes.Compare(key, in.last) <= 0 {
			return errChunk
		}
		in.last = append(in.last[:0], key...)
		if err := in.replacement.Set(key, value); err != nil {
			return err
		}
		in.rows++
	}
	return nil
}

// advance lays out the spans up to one. Also one of which nothing comes: what the replica had there goes.
func (in *Incoming) advance(to int) error {
	if to < in.span {
		return errChunk
	}
	for in.span < to {
		in.span++
		in.last = nil
		lay := in.replacement.Span
		if in.span == 0 {
			lay = in.replacement.Excise
		}
		if err := lay(in.laid[in.span].Lower, in.laid[in.span].Upper); err != nil {
			return err
		}
	}
	return nil
}

// seal ends the files; they are on disk then.
func (in *Incoming) seal() error {
	if !in.ended {
		return errUnended
	}
	if err := in.replacement.Seal(); err != nil {
		return fmt.Errorf("writing a snapshot of partition %d: %w", in.header.descriptor.Partition, err)
	}
	return nil
}

// current tells whether the replica is still what it was when the spans were laid out. The bounds of others only shrink,
// so whether they overlap need not be asked again.
func (in *Incoming) current() error {
	d, isNew, err := replaced(in.engine, in.header.descriptor.Partition)
	switch {
	case err != nil:
		return err
	case isNew != in.isNew || d.Generation != in.replaces.Generation:
		return errMoved
	}
	return nil
}

// perform lets what has come take the place of the replica, with a raft log that begins behind it. Nothing or all of it
// happens; the caller has looked that it is current.
func (in *Incoming) perform(h hard, at mark) error {
	group := in.header.descriptor.Partition
	raft := machine.Whole(keys.SpaceRaft, group)
	err := in.replacement.Span(raft.Lower, raft.Upper)
	if err == nil {
		err = in.replacement.Set(hardKey(group), h.append(nil))
	}
	if err == nil {
		err = in.replacement.Set(truncatedKey(group), at.append(nil))
	}
	if err == nil {
		err = in.replacement.Perform()
	}
	if err != nil {
		return fmt.Errorf("taking over a snapshot of partition %d: %w", group, err)
	}
	return nil
}

// Abort ends it, performed or not: what files there still are go, and another one may come.
func (in *Incoming) Abort() error {
	defer in.arrivals.leave(in.place)
	return in.replacement.Close()
}
