package command

import (
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// The fields of a command that are there, as bits; they follow in this order.
const (
	withKey uint64 = 1 << iota
	withItem
	withCondition
	withUpdate
	withBlind
	withTransaction
	withEntries
	withSentMillis
	withConsumer
	withSequence
	withSecond
	withIndex
	withBackfill
	withTombstones
	withCorrection
	withDescription
	withAt
	withChild
	withGeneration
	withEnd // the first bit that is none of them
)

// withJob are the fields that only commands of jobs have.
const withJob = withEnd - withEntries

// AppendCommand appends a command's bytes to dst: format ‖ action ‖ table ‖ table version ‖ which fields are there ‖ those.
func AppendCommand(dst []byte, c *Command) []byte {
	dst = slices.Grow(dst, headBytes+len(c.Key)+len(c.Item))
	return appendCommand(append(dst, wireFormat), c)
}

// ParseCommand reads what AppendCommand wrote. Keys, items and values point into b. The error is ErrMalformed.
func ParseCommand(b []byte) (*Command, error) {
	r := begin(b)
	c := &Command{}
	takeCommand(&r, c, false)
	if err := ended(&r); err != nil {
		return nil, err
	}
	return c, nil
}

func appendCommand(dst []byte, c *Command) []byte {
	fields := c.fields()
	dst = binary.AppendUvarint(append(dst, byte(c.Action)), c.Table)
	dst = binary.AppendUvarint(dst, c.TableVersion)
	dst = binary.AppendUvarint(dst, fields)
	if fields&withKey != 0 {
		dst = wire.AppendBytes(dst, c.Key)
	}
	if fields&withItem != 0 {
		dst = wire.AppendBytes(dst, c.Item)
	}
	if fields&withCondition != 0 {
		dst = appendSized(dst, c.Condition.AppendBinary)
	}
	if fields&withUpdate != 0 {
		dst = appendSized(dst, c.Update.AppendBinary)
	}
	if fields&withTransaction != 0 {
		dst = appendTransaction(dst, c.Transaction)
	}
	if fields&withJob != 0 {
		dst = appendJob(dst, c, fields)
	}
	return dst
}

// fields tells what is there.
func (c *Command) fields() (fields uint64) {
	set := func(field uint64, there bool) {
		if there {
			fields |= field
		}
	}
	set(withKey, len(c.Key) > 0)
	set(withItem, len(c.Item) > 0)
	set(withCondition, c.Condition != nil)
	set(withUpdate, c.Update != nil)
	set(withBlind, c.Blind)
	set(withTransaction, c.Transaction != nil)
	set(withEntries, len(c.Entries) > 0)
	set(withSentMillis, c.SentMillis != 0)
	set(withConsumer, c.Consumer != "")
	set(withSequence, c.Sequence != 0)
	set(withSecond, c.Second != 0)
	set(withIndex, c.Index != 0)
	set(withBackfill, c.Backfill.Since != 0 || len(c.Backfill.After) > 0 || c.Backfill.Items != 0 || c.Backfill.Done)
	set(withTombstones, len(c.Tombstones) > 0)
	set(withCorrection, c.Correction.Items != 0 || c.Correction.Bytes != 0 || len(c.Correction.Local) > 0)
	set(withDescription, c.Description != nil)
	set(withAt, len(c.At) > 0)
	set(withChild, c.Child != 0)
	set(withGeneration, c.Generation != 0)
	return fields
}

// appendJob appends the fields of withJob.
func appendJob(dst []byte, c *Command, fields uint64) []byte {
	if fields&withEntries != 0 {
		dst = appendEntries(dst, c.Entries)
	}
	if fields&withSentMillis != 0 {
		dst = binary.AppendVarint(dst, c.SentMillis)
	}
	if fields&withConsumer != 0 {
		dst = wire.AppendText(dst, c.Consumer)
	}
	if fields&withSequence != 0 {
		dst = binary.AppendUvarint(dst, c.Sequence)
	}
	if fields&withSecond != 0 {
		dst = binary.AppendUvarint(dst, c.Second)
	}
	if fields&withIndex != 0 {
		dst = binary.AppendUvarint(dst, c.Index)
	}
	if fields&withBackfill != 0 {
		dst = appendBackfill(dst, &c.Backfill)
	}
	if fields&withTombstones != 0 {
		dst = appendEntries(dst, c.Tombstones)
	}
	if fields&withCorrection != 0 {
		dst = appendStats(dst, &c.Correction)
	}
	if fields&withDescription != 0 {
		dst = wire.AppendBytes(dst, c.Description.Encode())
	}
	if fields&withAt != 0 {
		dst = wire.AppendBytes(dst, c.At)
	}
	if fields&withChild != 0 {
		dst = binary.AppendUvarint(dst, c.Child)
	}
	if fields&withGeneration != 0 {
		dst = binary.AppendUvarint(dst, c.Generation)
	}
	return dst
}

// takeCommand takes a command, which has no transaction if it is an action of one.
func takeCommand(r *wire.Reader, c *Command, action bool) {
	c.Action, c.Table, c.TableVersion = Action(r.Byte()), r.Uvarint(), r.Uvarint()
	fields := r.Uvarint()
	if fields >= withEnd || action && fields&withTransaction != 0 {
		r.Fail()
	}
	if fields&withKey != 0 {
		c.Key = r.Bytes()
	}
	if fields&withItem != 0 {
		c.Item = takeItem(r)
	}
	if fields&withCondition != 0 {
		c.Condition = takeExpression(r, expr.DecodeCondition)
	}
	if fields&withUpdate != 0 {
		c.Update = takeExpression(r, expr.DecodeUpdate)
	}
	c.Blind = fields&withBlind != 0
	if fields&withTransaction != 0 {
		c.Transaction = takeTransaction(r)
	}
	if fields&withJob != 0 {
		takeJob(r, c, fields)
	}
}

// takeJob takes the fields of withJob.
func takeJob(r *wire.Reader, c *Command, fields uint64) {
	if fields&withEntries != 0 {
		c.Entries = takeEntries(r)
	}
	if fields&withSentMillis != 0 {
		c.SentMillis = r.Varint()
	}
	if fields&withConsumer != 0 {
		c.Consumer = r.Text()
	}
	if fields&withSequence != 0 {
		c.Sequence = r.Uvarint()
	}
	if fields&withSecond != 0 {
		c.Second = r.Uvarint()
	}
	if fields&withIndex != 0 {
		c.Index = r.Uvarint()
	}
	if fields&withBackfill != 0 {
		c.Backfill = takeBackfill(r)
	}
	if fields&withTombstones != 0 {
		c.Tombstones = takeEntries(r)
	}
	if fields&withCorrection != 0 {
		c.Correction = takeStats(r)
	}
	if fields&withDescription != 0 {
		c.Description = takeDescription(r)
	}
	if fields&withAt != 0 {
		c.At = r.Bytes()
	}
	if fields&withChild != 0 {
		c.Child = r.Uvarint()
	}
	if fields&withGeneration != 0 {
		c.Generation = r.Uvarint()
	}
}

// takeExpression takes a compiled expression in the form of its own package.
func takeExpression[T any](r *wire.Reader, decode func([]byte) (*T, error)) *T {
	b := takeSized(r)
	if r.Failed() {
		return nil
	}
	x, err := decode(b)
	if err != nil {
		r.Fail()
	}
	return x
}

func takeDescription(r *wire.Reader) *table.Table {
	b := r.Bytes()
	if r.Failed() {
		return nil
	}
	t, err := table.Decode(b)
	if err != nil {
		r.Fail()
	}
	return t
}
