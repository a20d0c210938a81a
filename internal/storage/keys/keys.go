// Package keys is the layout of every key in the store: which space it belongs to, and in which order keys of one
// space follow each other. It does not know what is stored under them.
package keys

import (
	"encoding/binary"

	"stator/internal/base/must"
	"stator/internal/model/attr"
	"stator/internal/model/token"
)

// Space is the first byte of a key: what kind of record lies under it (DESIGN §4). The letters make a dump readable;
// their order means nothing. A letter is never given a second meaning.
type Space byte

// The spaces. Data to Transaction are ordered by (table id, suffix) and hold no partition id, so that a split moves
// no data; Log, Expiry and Part are ordered by partition id; Raft and Node are this node's own and not replicated.
const (
	SpaceData        Space = 'd'
	SpaceLocalIndex  Space = 'i'
	SpaceLock        Space = 'k'
	SpaceSize        Space = 's'
	SpaceTransaction Space = 't'
	SpaceLog         Space = 'l'
	SpaceExpiry      Space = 'e'
	SpacePart        Space = 'p'
	SpaceRaft        Space = 'r'
	SpaceNode        Space = 'n'
)

// ByTable and ByPartition are the spaces of what is replicated, as they are ordered. Data is the first and the largest.
var (
	ByTable     = [...]Space{SpaceData, SpaceLocalIndex, SpaceLock, SpaceSize, SpaceTransaction}
	ByPartition = [...]Space{SpaceLog, SpaceExpiry, SpacePart}
)

// TokenBytes is the length of a token at the start of every suffix.
const TokenBytes = 16

// idBytes is the length of a table id, partition id, sequence or second: big endian, so that byte order is number
// order, and of fixed length, so that no id is a prefix of another.
const idBytes = 8

// Suffix encodes a primary key: token ‖ hash components ‖ range components. The token is taken of the encoded hash
// components, so every item of a collection shares it, and different keys never share a suffix.
func Suffix(hash, rng []attr.Value) []byte {
	return AppendSuffix(make([]byte, 0, suffixHint(hash)+suffixHint(rng)), hash, rng)
}

// AppendSuffix appends what Suffix returns.
func AppendSuffix(dst []byte, hash, rng []attr.Value) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, TokenBytes)...)
	for _, v := range hash {
		dst = AppendComponent(dst, v)
	}
	t := token.Of(dst[start+TokenBytes:])
	copy(dst[start:], t[:])
	for _, v := range rng {
		dst = AppendComponent(dst, v)
	}
	return dst
}

// suffixHint bounds the usual encoded length of values from below: escapes may add to it.
func suffixHint(values []attr.Value) int {
	n := TokenBytes
	for _, v := range values {
		n += len(v) + componentOverheadBytes
	}
	return n
}

// SplitSuffix cuts a suffix behind its first hashComponents components: hash is token and partition key (the prefix of
// an item collection), sort the rest. A suffix that does not hold so many components breaks an invariant.
func SplitSuffix(suffix []byte, hashComponents int) (hash, sort []byte) {
	at := TokenBytes
	for range hashComponents {
		n, ok := 0, at <= len(suffix)
		if ok {
			n, ok = componentLen(suffix[at:])
		}
		if !ok {
			must.That(false, "a key suffix of %d bytes with fewer than %d components", len(suffix), hashComponents)
		}
		at += n
	}
	return suffix[:at:at], suffix[at:]
}

// Span is the range [first, end) of the keys of a space and id whose suffixes lie in [lower, upper); an empty upper is no
// bound.
func Span(space Space, id uint64, lower, upper []byte) (first, end []byte) {
	first = build(space, id, lower)
	if len(upper) == 0 {
		return first, SuccessorPrefix(Prefix(space, id))
	}
	return first, build(space, id, upper)
}

// Data is the key of an item: table id ‖ suffix.
func Data(tableID uint64, suffix []byte) []byte { return build(SpaceData, tableID, suffix) }

// Lock is the key of an item's pending transactional write.
func Lock(tableID uint64, suffix []byte) []byte { return build(SpaceLock, tableID, suffix) }

// Size is the key of an item collection's size; hash is token and partition key (SplitSuffix).
func Size(tableID uint64, hash []byte) []byte { return build(SpaceSize, tableID, hash) }

// Transaction is the key of a transaction's record: suffix is the first action's key followed by the request token
// or transaction id as one more component.
func Transaction(tableID uint64, suffix []byte) []byte {
	return build(SpaceTransaction, tableID, suffix)
}

// LocalIndex is the key of a local index entry: table id ‖ token and partition key ‖ index id ‖ index sort key ‖
// table sort key. The entries of all local indexes lie with their item collection, so that the bounds of a partition
// cut them where they cut the items.
func LocalIndex(tableID uint64, hash []byte, indexID uint32, sortComponents []byte) []byte {
	dst := make([]byte, 0, 1+idBytes+len(hash)+4+len(sortComponents))
	dst = appendRanged(dst, SpaceLocalIndex, tableID, hash)
	dst = binary.BigEndian.AppendUint32(dst, indexID)
	return append(dst, sortComponents...)
}

// Log is the key of a change in a partition's change log.
func Log(partition, sequence uint64) []byte {
	dst := append(make([]byte, 0, 1+2*idBytes), byte(SpaceLog))
	dst = binary.BigEndian.AppendUint64(dst, partition)
	return binary.BigEndian.AppendUint64(dst, sequence)
}

// Expiry is the key under which an item waits for its time to live: partition ‖ second ‖ suffix. The second is of the
// epoch, in UTC.
func Expiry(partition, second uint64, suffix []byte) []byte {
	dst := make([]byte, 0, 1+2*idBytes+len(suffix))
	dst = binary.BigEndian.AppendUint64(append(dst, byte(SpaceExpiry)), partition)
	return append(binary.BigEndian.AppendUint64(dst, second), suffix...)
}

// Part is the key of a named record of a partition's own state.
func Part(partition uint64, name string) []byte {
	return build(SpacePart, partition, []byte(name))
}

// Raft is the key of a named record of a partition's raft state on this node.
func Raft(partition uint64, name string) []byte {
	return build(SpaceRaft, partition, []byte(name))
}

// raftEntryName begins the names of the entries of a raft log, which are ordered by their index.
const raftEntryName = "e"

// RaftEntry is the key of an entry of a partition's raft log on this node.
func RaftEntry(partition, index uint64) []byte {
	dst := make([]byte, 0, 1+2*idBytes+len(raftEntryName))
	dst = append(binary.BigEndian.AppendUint64(append(dst, byte(SpaceRaft)), partition), raftEntryName...)
	return binary.BigEndian.AppendUint64(dst, index)
}

// RaftIndex is the index of an entry, of whose key ok tells whether it is one.
func RaftIndex(key []byte) (index uint64, ok bool) {
	name := 1 + idBytes
	if len(key) != name+len(raftEntryName)+idBytes || key[0] != byte(SpaceRaft) || string(key[name:name+len(raftEntryName)]) != raftEntryName {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[name+len(raftEntryName):]), true
}

// Node is the key of a named record of this node.
func Node(name string) []byte {
	return append([]byte{byte(SpaceNode)}, name...)
}

// Prefix is what all keys of one table (Data to Transaction) or of one partition (Log to Raft) in a space begin with.
func Prefix(space Space, id uint64) []byte { return build(space, id, nil) }

// SuccessorPrefix is the smallest key greater than every key with prefix p; nil means there is none, the end of the
// store. It does not change p.
func SuccessorPrefix(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			next := append([]byte(nil), p[:i+1]...)
			next[i]++
			return next
		}
	}
	return nil
}

func build(space Space, id uint64, rest []byte) []byte {
	return appendRanged(make([]byte, 0, 1+idBytes+len(rest)), space, id, rest)
}

func appendRanged(dst []byte, space Space, id uint64, rest []byte) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, byte(space)), id)
	return append(dst, rest...)
}
