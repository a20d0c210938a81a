package command

import (
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
	"stator/internal/storage/record"
)

// What a shard says by yes or no, as bits.
const (
	shardOpen byte = 1 << iota
	shardParent
	shardEnd // the first bit that is none of them
)

// AppendShardList appends the bytes of a stream's shards to dst: format ‖ complete ‖ number ‖ shards.
func AppendShardList(dst []byte, l *ShardList) []byte {
	dst = binary.AppendUvarint(appendBool(append(dst, wireFormat), l.Complete), uint64(len(l.Shards)))
	for i := range l.Shards {
		dst = appendShard(dst, &l.Shards[i])
	}
	return dst
}

// ParseShardList reads what AppendShardList wrote. The error is ErrMalformed.
func ParseShardList(b []byte) (ShardList, error) {
	r := begin(b)
	l := ShardList{Complete: takeBool(&r), Shards: many[Shard](&r, 5)}
	for i := range l.Shards {
		l.Shards[i] = takeShard(&r)
	}
	if err := ended(&r); err != nil {
		return ShardList{}, err
	}
	return l, nil
}

func appendShard(dst []byte, s *Shard) []byte {
	var flags byte
	if s.Open {
		flags |= shardOpen
	}
	if s.Parent != (ShardName{}) {
		flags |= shardParent
	}
	dst = appendName(append(dst, flags), s.Name)
	if flags&shardParent != 0 {
		dst = appendName(dst, s.Parent)
	}
	return binary.AppendUvarint(binary.AppendUvarint(dst, s.First), s.Last)
}

func takeShard(r *wire.Reader) (s Shard) {
	flags := r.Byte()
	if flags >= shardEnd {
		r.Fail()
	}
	s.Open, s.Name = flags&shardOpen != 0, takeName(r)
	if flags&shardParent != 0 {
		s.Parent = takeName(r)
	}
	s.First, s.Last = r.Uvarint(), r.Uvarint()
	return s
}

func appendName(dst []byte, n ShardName) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, n.Partition), n.Generation)
}

func takeName(r *wire.Reader) ShardName {
	return ShardName{Partition: r.Uvarint(), Generation: r.Uvarint()}
}

// AppendShardPlace appends the bytes of where a shard is to dst: format ‖ table ‖ stream ‖ partition ‖ generation.
func AppendShardPlace(dst []byte, p *ShardPlace) []byte {
	return appendShardPlace(append(dst, wireFormat), p)
}

func appendShardPlace(dst []byte, p *ShardPlace) []byte {
	return appendName(binary.AppendVarint(binary.AppendUvarint(dst, p.Table), p.Stream), p.Name)
}

// ParseShardPlace reads what AppendShardPlace wrote. The error is ErrMalformed.
func ParseShardPlace(b []byte) (ShardPlace, error) {
	r := begin(b)
	p := takeShardPlace(&r)
	if err := ended(&r); err != nil {
		return ShardPlace{}, err
	}
	return p, nil
}

func takeShardPlace(r *wire.Reader) ShardPlace {
	return ShardPlace{Table: r.Uvarint(), Stream: r.Varint(), Name: takeName(r)}
}

// AppendLogPlan appends the bytes of a wish to read a shard to dst: format ‖ its place ‖ first ‖ limit ‖ bytes.
func AppendLogPlan(dst []byte, p *LogPlan) []byte {
	dst = appendShardPlace(append(dst, wireFormat), &p.ShardPlace)
	dst = binary.AppendUvarint(dst, p.First)
	return binary.AppendVarint(binary.AppendVarint(dst, int64(p.Limit)), int64(p.Bytes))
}

// ParseLogPlan reads what AppendLogPlan wrote. The error is ErrMalformed.
func ParseLogPlan(b []byte) (LogPlan, error) {
	r := begin(b)
	p := LogPlan{ShardPlace: takeShardPlace(&r), First: r.Uvarint(), Limit: int(r.Varint()), Bytes: int(r.Varint())}
	if err := ended(&r); err != nil {
		return LogPlan{}, err
	}
	return p, nil
}

// AppendChangesPlan appends the bytes of a wish to read a change log to dst: format ‖ strong ‖ after ‖ bytes.
func AppendChangesPlan(dst []byte, p *ChangesPlan) []byte {
	dst = binary.AppendUvarint(appendBool(append(dst, wireFormat), p.Strong), p.After)
	return binary.AppendVarint(dst, int64(p.Bytes))
}

// ParseChangesPlan reads what AppendChangesPlan wrote. The error is ErrMalformed.
func ParseChangesPlan(b []byte) (ChangesPlan, error) {
	r := begin(b)
	p := ChangesPlan{Strong: takeBool(&r), After: r.Uvarint(), Bytes: int(r.Varint())}
	if err := ended(&r); err != nil {
		return ChangesPlan{}, err
	}
	return p, nil
}

// AppendLogPage appends the bytes of what a shard holds to dst: format ‖ trimmed ‖ the shard ‖ number ‖ changes, each behind
// its size and in the form in which the log has them.
func AppendLogPage(dst []byte, p *LogPage) []byte {
	size := headBytes
	for i := range p.Changes {
		c := &p.Changes[i]
		size += headBytes + len(c.Suffix) + len(c.Before) + len(c.After)
	}
	dst = appendBool(append(slices.Grow(dst, size), wireFormat), p.Trimmed)
	dst = appendShard(dst, &p.Shard)
	dst = binary.AppendUvarint(dst, uint64(len(p.Changes)))
	for i := range p.Changes {
		dst = appendSized(dst, p.Changes[i].Append)
	}
	return dst
}

// ParseLogPage reads what AppendLogPage wrote. Keys and items point into b. The error is ErrMalformed.
func ParseLogPage(b []byte) (LogPage, error) {
	r := begin(b)
	p := LogPage{Trimmed: takeBool(&r), Shard: takeShard(&r), Changes: many[record.Change](&r, changeBytesMin)}
	for i := range p.Changes {
		change, err := record.ParseChange(takeSized(&r))
		if err != nil {
			return LogPage{}, ErrMalformed
		}
		p.Changes[i] = change
	}
	if err := ended(&r); err != nil {
		return LogPage{}, err
	}
	return p, nil
}

// changeBytesMin is the size of a change of nothing.
const changeBytesMin = sizeBytes + 3 + 8 + 3
