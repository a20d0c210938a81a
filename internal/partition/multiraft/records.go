package multiraft

import (
	"encoding/binary"
	"errors"

	"stator/internal/base/wire"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// The names of a group's records: position lies with the replicated state of the partition, the others are this node's.
const (
	namePosition  = "position"
	nameHard      = "hard"
	nameTruncated = "truncated"
	nameTombstone = "tombstone/"
)

// recordFormat is the first byte of each.
const recordFormat = 1

// mark is a place in a raft log.
type mark struct{ index, term uint64 }

// position is how far a replica has performed its raft log. It is written in the same engine batch as what was performed.
type position struct {
	mark
	// outgoing are the voters of the configuration before, while a change from it to the next is under way: both must
	// agree until it ends.
	outgoing []command.Member
}

// hard is what a replica must remember before it speaks.
type hard struct {
	replica            uint64
	term, vote, commit uint64
}

func positionKey(group uint64) []byte  { return keys.Part(group, namePosition) }
func hardKey(group uint64) []byte      { return keys.Raft(group, nameHard) }
func truncatedKey(group uint64) []byte { return keys.Raft(group, nameTruncated) }

// tombstoneKey is the key under which this node remembers the newest replica of a group that was removed from it.
func tombstoneKey(group uint64) []byte {
	return keys.Node(string(binary.BigEndian.AppendUint64([]byte(nameTombstone), group)))
}

func (p position) append(dst []byte) []byte {
	dst = appendNumbers(dst, p.index, p.term, uint64(len(p.outgoing)))
	for _, m := range p.outgoing {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, m.Replica), m.Node)
	}
	return dst
}

func (h hard) append(dst []byte) []byte {
	return appendNumbers(dst, h.replica, h.term, h.vote, h.commit)
}

func (m mark) append(dst []byte) []byte { return appendNumbers(dst, m.index, m.term) }

func appendNumbers(dst []byte, numbers ...uint64) []byte {
	dst = append(dst, recordFormat)
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

// parseRecord reads a record by its fields.
func parseRecord(b []byte, fields func(r *wire.Reader)) error {
	r := wire.NewReader(b)
	if r.Byte() != recordFormat {
		return errors.New("it has an unknown format")
	}
	if fields(&r); !r.Whole() {
		return errors.New("it is damaged")
	}
	return nil
}

func parsePosition(b []byte) (p position, err error) {
	err = parseRecord(b, func(r *wire.Reader) {
		p.index, p.term = r.Uvarint(), r.Uvarint()
		for range r.Count(2) {
			p.outgoing = append(p.outgoing, command.Member{Replica: r.Uvarint(), Node: r.Uvarint()})
		}
	})
	return p, err
}

func parseHard(b []byte) (h hard, err error) {
	err = parseRecord(b, func(r *wire.Reader) {
		h.replica, h.term, h.vote, h.commit = r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint()
	})
	return h, err
}

func parseMark(b []byte) (m mark, err error) {
	err = parseRecord(b, func(r *wire.Reader) { m.index, m.term = r.Uvarint(), r.Uvarint() })
	return m, err
}

// Hosted tells whether a partition of this store is kept by a group, and not by one copy alone.
func Hosted(from machine.Reader, partition uint64) (bool, error) {
	_, found, err := from.Get(positionKey(partition))
	return found, err
}

// Performed is how far the replica of a partition in this store has performed its group's log, 0 if no group keeps it.
func Performed(from machine.Reader, partition uint64) (uint64, error) {
	p, _, err := machine.ReadRecord(from, positionKey(partition), parsePosition)
	return p.index, err
}

// Replica is which replica of a partition's group this store has, 0 for none.
func Replica(from machine.Reader, partition uint64) (uint64, error) {
	h, _, err := machine.ReadRecord(from, hardKey(partition), parseHard)
	return h.replica, err
}

// tombstone is the newest replica of a group that was removed from this node, 0 if there is none.
func tombstone(from machine.Reader, group uint64) (uint64, error) {
	m, _, err := machine.ReadRecord(from, tombstoneKey(group), parseMark)
	return m.index, err
}
