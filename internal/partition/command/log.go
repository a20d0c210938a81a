package command

import (
	"cmp"

	"stator/internal/storage/record"
)

// The consumers of a change log, by the names of their cursors.
const (
	CatalogConsumer = "catalog"
	IndexConsumer   = "index"
	StreamConsumer  = "stream"
)

// versionLogicalBits is the part of a version that counts within a millisecond.
const versionLogicalBits = 20

// VersionAt is the smallest version of a moment. A moment before the epoch, as of a clock that is wrong, is the epoch.
func VersionAt(millis int64) uint64 { return uint64(max(0, millis)) << versionLogicalBits }

// MillisOf is the moment of a version.
func MillisOf(version uint64) int64 { return int64(version >> versionLogicalBits) }

// ShardName names a shard of any partition: the partition with its generation as the shard began.
type ShardName struct{ Partition, Generation uint64 }

// Compare orders names by partition, then by generation.
func (n ShardName) Compare(o ShardName) int {
	return cmp.Or(cmp.Compare(n.Partition, o.Partition), cmp.Compare(n.Generation, o.Generation))
}

// Shard is one shard of a stream: a stretch of one partition's change log.
type Shard struct {
	Name ShardName
	// Parent is the shard that has to be read before; zero where there is none.
	Parent ShardName
	// First is the oldest change that is kept, Last the newest one: below First where there is none.
	First, Last uint64
	// Open tells that changes may follow.
	Open bool
}

// ShardList is all shards of a stream in the order of their names, parents before children.
type ShardList struct {
	Shards []Shard
	// Complete tells that every partition of the table knows the stream.
	Complete bool
}

// ShardPlace is where to find one shard of a table's stream.
type ShardPlace struct {
	Table  uint64
	Stream int64
	Name   ShardName
}

// LogPlan is a wish to read a shard from the change First on: at most Limit changes, and no further one after Bytes of
// them.
type LogPlan struct {
	ShardPlace
	First uint64
	Limit int
	Bytes int
}

// LogPage is what a shard holds there, with the shard as it was then.
type LogPage struct {
	Changes []record.Change
	Shard   Shard
	// Trimmed tells that the change asked for was there once and is not kept any more.
	Trimmed bool
}
