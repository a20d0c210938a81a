package multiraft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/base/must"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// recentBytesMax bounds the newest entries that a group keeps in memory: what followers have not yet got, and what is
// about to be performed, is mostly there.
const recentBytesMax = 256 << 10

// entryOverheadBytes is what an entry costs besides what it carries.
const entryOverheadBytes = 32

// weighedMax is how many entries of a log are looked at when it is opened.
const weighedMax = 16

// raftLog is a group's raft log on this node, as the raft library reads it.
//
// Invariant: the entries from truncated.index+1 to last lie in the engine, or in the batch that the pass is about to
// commit; recent holds the newest of them without a gap.
type raftLog struct {
	engine    *engine.Engine
	group     uint64
	truncated mark
	last      uint64
	hard      hard
	recent    []*raftpb.Entry
	// recentBytes is the size of recent, bytes about that of all entries.
	recentBytes, bytes int64
	conf               func() *raftpb.ConfState
	snapshot           func() (*raftpb.Snapshot, error)
}

// loadRaftLog reads where a group's log begins and ends; found is false where there is none.
func loadRaftLog(e *engine.Engine, group uint64) (l *raftLog, found bool, err error) {
	l = &raftLog{engine: e, group: group}
	if l.hard, found, err = machine.ReadRecord(e, hardKey(group), parseHard); err != nil || !found {
		return nil, false, err
	}
	if l.truncated, found, err = machine.ReadRecord(e, truncatedKey(group), parseMark); err != nil || !found {
		return nil, false, err
	}
	l.last = l.truncated.index
	it, err := e.Iter(keys.RaftEntry(group, l.truncated.index+1), keys.RaftEntry(group, ^uint64(0)))
	if err != nil {
		return nil, false, fmt.Errorf("opening the raft log of partition %d: %w", group, err)
	}
	if it.Last() {
		l.last, _ = keys.RaftIndex(it.Key())
	}
	if err := errors.Join(l.weigh(it), it.Close()); err != nil {
		return nil, false, fmt.Errorf("opening the raft log of partition %d: %w", group, err)
	}
	return l, true, nil
}

// weigh finds out how large the log is: as large as if all its entries were like some of them at equal distances. To look at each
// would read the logs of all groups before the node serves. What the files take would cost less still, but is another number
// after each compaction, and what a replica does must follow from what it holds.
func (l *raftLog) weigh(it *engine.Iterator) error {
	entries := l.last - l.truncated.index
	stride := (entries + weighedMax - 1) / weighedMax
	for index := l.truncated.index + 1; index <= l.last; index += stride {
		if !it.SeekGE(keys.RaftEntry(l.group, index)) {
			break
		}
		value, err := it.Value()
		if err != nil {
			return err
		}
		l.bytes += int64(min(stride, l.last+1-index)) * int64(len(value)+entryOverheadBytes)
	}
	return it.Err()
}

// InitialState is what a start begins with.
func (l *raftLog) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	h := l.hard
	return &raftpb.HardState{Term: &h.term, Vote: &h.vote, Commit: &h.commit}, l.conf(), nil
}

// FirstIndex is the first entry that is there, or would be.
func (l *raftLog) FirstIndex() (uint64, error) { return l.truncated.index + 1, nil }

// LastIndex is the last entry.
func (l *raftLog) LastIndex() (uint64, error) { return l.last, nil }

// Snapshot is asked for by a leader whose log does not reach back to what a replica needs.
func (l *raftLog) Snapshot() (*raftpb.Snapshot, error) { return l.snapshot() }

// Term is the term of one entry, the last truncated one included.
func (l *raftLog) Term(index uint64) (uint64, error) {
	switch {
	case index == l.truncated.index:
		return l.truncated.term, nil
	case index < l.truncated.index:
		return 0, raft.ErrCompacted
	case index > l.last:
		return 0, raft.ErrUnavailable
	}
	if at, ok := l.inRecent(index); ok {
		return l.recent[at].GetTerm(), nil
	}
	b, found, err := l.engine.Get(keys.RaftEntry(l.group, index))
	l.readable(err)
	must.That(found, "entry %d of partition %d is not in its raft log, which ends at %d", index, l.group, l.last)
	e, err := parseEntry(index, b)
	l.readable(err)
	return e.GetTerm(), nil
}

// readable has a log that cannot be read break this copy. The library would panic with the error, which ends the process, and
// again after each start.
func (l *raftLog) readable(err error) {
	if err != nil {
		must.That(false, "the raft log of partition %d cannot be read: %v", l.group, err)
	}
}

// inRecent is the place of an entry in memory.
func (l *raftLog) inRecent(index uint64) (at int, ok bool) {
	if len(l.recent) == 0 || index < l.recent[0].GetIndex() || index > l.last {
		return 0, false
	}
	return int(index - l.recent[0].GetIndex()), true
}

// Entries are those of [lo, hi), cut once they hold bytesMax, but not before the first.
func (l *raftLog) Entries(lo, hi, bytesMax uint64) ([]*raftpb.Entry, error) {
	switch {
	case lo <= l.truncated.index:
		return nil, raft.ErrCompacted
	case hi > l.last+1:
		return nil, raft.ErrUnavailable
	}
	entries, bytes, err := l.stored(lo, hi, bytesMax)
	l.readable(err)
	for index := lo + uint64(len(entries)); index < hi; index++ {
		at, ok := l.inRecent(index)
		if !ok {
			break // the engine's part was cut
		}
		bytes += entryBytes(l.recent[at])
		if bytes > bytesMax && len(entries) > 0 {
			break
		}
		entries = append(entries, l.recent[at])
	}
	return entries, nil
}

// stored reads from the engine what of [lo, hi) is not in memory.
func (l *raftLog) stored(lo, hi, bytesMax uint64) (entries []*raftpb.Entry, bytes uint64, err error) {
	if len(l.recent) > 0 {
		hi = min(hi, l.recent[0].GetIndex())
	}
	if lo >= hi {
		return nil, 0, nil
	}
	it, err := l.engine.Iter(keys.RaftEntry(l.group, lo), keys.RaftEntry(l.group, hi))
	if err != nil {
		return nil, 0, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.Value()
		if err != nil {
			return nil, 0, err
		}
		index, _ := keys.RaftIndex(it.Key())
		must.That(index == lo+uint64(len(entries)), "entry %d of partition %d is missing", lo+uint64(len(entries)), l.group)
		e, err := parseEntry(index, slices.Clone(value))
		if err != nil {
			return nil, 0, err
		}
		bytes += entryBytes(e)
		if bytes > bytesMax && len(entries) > 0 {
			return entries, bytes, nil
		}
		entries = append(entries, e)
	}
	if err := it.Err(); err != nil {
		return nil, 0, err
	}
	must.That(uint64(len(entries)) == hi-lo, "entries of partition %d end before %d", l.group, hi)
	return entries, bytes, nil
}

func entryBytes(e *raftpb.Entry) uint64 { return uint64(len(e.GetData()) + entryOverheadBytes) }

// append adds entries to the log. They may take the place of others, which no leader has brought to a quorum.
func (l *raftLog) append(to *engine.Batch, entries []*raftpb.Entry) {
	if len(entries) == 0 {
		return
	}
	first, last := entries[0].GetIndex(), entries[len(entries)-1].GetIndex()
	must.That(first > l.truncated.index && first <= l.last+1, "entries from %d on do not follow %d in partition %d", first, l.last, l.group)
	if last < l.last {
		to.DeleteRange(keys.RaftEntry(l.group, last+1), keys.RaftEntry(l.group, l.last+1))
	}
	if at, ok := l.inRecent(first); ok {
		for _, e := range l.recent[at:] {
			l.recentBytes -= int64(entryBytes(e))
			l.bytes -= int64(entryBytes(e))
		}
		l.recent = l.recent[:at]
	} else if first <= l.last {
		l.recent, l.recentBytes = nil, 0
	}
	for _, e := range entries {
		to.Set(keys.RaftEntry(l.group, e.GetIndex()), appendEntry(nil, e))
		l.recentBytes += int64(entryBytes(e))
		l.bytes += int64(entryBytes(e))
	}
	l.recent = append(l.recent, entries...)
	l.last = last
	l.forget(recentBytesMax)
}

// forget lets go of the oldest entries in memory until the rest has bytesMax, but not of the last one.
func (l *raftLog) forget(bytesMax int64) {
	gone := 0
	for l.recentBytes > bytesMax && gone < len(l.recent)-1 {
		l.recentBytes -= int64(entryBytes(l.recent[gone]))
		gone++
	}
	if gone > 0 {
		l.recent = slices.Clone(l.recent[gone:])
	}
}

// setHard writes what must be known before a message that depends on it leaves.
func (l *raftLog) setHard(to *engine.Batch, h *raftpb.HardState) {
	l.hard.term, l.hard.vote, l.hard.commit = h.GetTerm(), h.GetVote(), h.GetCommit()
	to.Set(hardKey(l.group), l.hard.append(nil))
}

// appendEntry writes an entry as it is stored: its type, its term, what it carries.
func appendEntry(dst []byte, e *raftpb.Entry) []byte {
	if dst == nil {
		dst = make([]byte, 0, 1+binary.MaxVarintLen64+len(e.GetData()))
	}
	dst = binary.AppendUvarint(append(dst, byte(e.GetType())), e.GetTerm())
	return append(dst, e.GetData()...)
}

// parseEntry reads an entry, which keeps b.
func parseEntry(index uint64, b []byte) (*raftpb.Entry, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("entry %d of a raft log is damaged", index)
	}
	term, width := binary.Uvarint(b[1:])
	if width <= 0 {
		return nil, fmt.Errorf("entry %d of a raft log is damaged", index)
	}
	kind := raftpb.EntryType(b[0])
	e := &raftpb.Entry{Index: &index, Term: &term, Type: &kind}
	if data := b[1+width:]; len(data) > 0 {
		e.Data = data
	}
	return e, nil
}
