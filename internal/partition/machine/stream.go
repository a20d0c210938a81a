package machine

import "stator/internal/partition/command"

// Stream is the stretch of a partition's change log that belongs to one stream of the table: from the adopt that began it,
// or the split that made the partition, to the adopt that ended it.
type Stream struct {
	// ID is the stream's name within its table (table.Stream.CreatedMillis).
	ID int64
	// Generation is the partition's as the stretch began, First its first change.
	Generation, First uint64
	// Ended is the generation since which nothing is added, Last the last change; both 0 while the stream goes on.
	Ended uint64 `json:",omitempty"`
	Last  uint64 `json:",omitempty"`
	// Parent is the shard of the partition that this one was split from, if the stream was there before.
	Parent *command.ShardName `json:",omitempty"`
}

// streams are a partition's streams under the description it adopts: the one that goes on, and those that ended and can
// still be read. A stream that is made anew begins after everything recorded before it, whoever that was recorded for.
func streams(state, after *Part) []Stream {
	generation, sequence := after.Descriptor.Generation, state.Applied.Sequence
	on, goes := after.Table.Stream()
	var kept []Stream
	for _, s := range state.Streams {
		described, ok := after.Table.StreamByID(s.ID)
		if !ok {
			continue
		}
		if described.EndedMillis != 0 && s.Ended == 0 {
			s.Ended, s.Last = generation, sequence
		}
		kept = append(kept, s)
		goes = goes && s.ID != on.CreatedMillis
	}
	if goes {
		kept = append(kept, Stream{ID: on.CreatedMillis, Generation: generation, First: sequence + 1})
	}
	return kept
}

// streamsOfRight are the streams of a split's right half. Those that have ended have no changes of it.
func streamsOfRight(state Part) []Stream {
	var kept []Stream
	open := state.Shards[len(state.Shards)-1]
	for _, s := range state.Streams {
		if s.Ended == 0 {
			parent := s.name(state.Descriptor.Partition, open.Generation)
			kept = append(kept, Stream{ID: s.ID, Generation: 1, First: state.Applied.Sequence + 1, Parent: &parent})
		}
	}
	return kept
}

// name is a shard's name in a stream. A shard that is older than the stream is called after the stream's beginning, so
// that no shard has the same name in two streams.
func (s *Stream) name(partition, generation uint64) command.ShardName {
	return command.ShardName{Partition: partition, Generation: max(generation, s.Generation)}
}

// ShardsOf lists the shards that one stream has here, oldest first; none if the partition does not know the stream.
//
// Sequences alone do not tell which shards a stream was on for, since many a shard ends without a change: generations do.
func (p *Part) ShardsOf(stream int64) []command.Shard {
	var shards []command.Shard
	for i := range p.Streams {
		s := &p.Streams[i]
		if s.ID != stream {
			continue
		}
		for j := range p.Shards {
			ends := j+1 < len(p.Shards)
			if ends && p.Shards[j+1].Generation <= s.Generation || s.Ended != 0 && p.Shards[j].Generation >= s.Ended {
				continue
			}
			shards = append(shards, p.shardOf(s, j))
		}
	}
	return shards
}

// shardOf is the part of a shard that belongs to a stream.
func (p *Part) shardOf(s *Stream, j int) command.Shard {
	id, of := p.Descriptor.Partition, &p.Shards[j]
	shard := command.Shard{Name: s.name(id, of.Generation), First: max(of.First, s.First, p.Applied.First), Last: of.Last}
	if j+1 == len(p.Shards) {
		shard.Open, shard.Last = s.Ended == 0, p.Applied.Sequence
	}
	if s.Ended != 0 {
		shard.Last = min(shard.Last, s.Last)
	}
	shard.First = min(shard.First, shard.Last+1)
	switch {
	case of.Generation > s.Generation && len(of.Parents) > 0:
		shard.Parent = s.name(id, of.Parents[0].Generation)
	case s.Parent != nil:
		shard.Parent = *s.Parent
	}
	return shard
}
