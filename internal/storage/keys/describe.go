package keys

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"stator/internal/model/attr"
)

// Describe writes a key for a person: space, ids and components by name, what cannot be read in hexadecimal. It shows
// the values of keys, so it is for inspection of a store and never for a log.
func Describe(key []byte) string {
	if len(key) == 0 {
		return "(empty key)"
	}
	space, rest := Space(key[0]), key[1:]
	name, known := spaceNames[space]
	if !known {
		return "unknown space " + hex.EncodeToString(key)
	}
	if space == SpaceNode {
		return name + " " + strconv.Quote(string(rest))
	}
	if len(rest) < idBytes {
		return name + " " + hex.EncodeToString(rest)
	}
	id, rest := binary.BigEndian.Uint64(rest), rest[idBytes:]
	var b strings.Builder
	switch space {
	case SpaceData, SpaceLock, SpaceSize, SpaceTransaction:
		fmt.Fprintf(&b, "%s table %d", name, id)
		describeSuffix(&b, rest)
	case SpaceLocalIndex:
		fmt.Fprintf(&b, "%s table %d", name, id)
		describeIndex(&b, rest)
	case SpacePart, SpaceRaft:
		if index, ok := RaftIndex(key); ok {
			fmt.Fprintf(&b, "%s partition %d entry %d", name, id, index)
			break
		}
		fmt.Fprintf(&b, "%s partition %d %q", name, id, rest)
	case SpaceLog:
		fmt.Fprintf(&b, "%s partition %d", name, id)
		describeNumber(&b, " sequence", rest)
	case SpaceExpiry:
		fmt.Fprintf(&b, "%s partition %d", name, id)
		describeSuffix(&b, describeNumber(&b, " second", rest))
	}
	return b.String()
}

var spaceNames = map[Space]string{
	SpaceData: "data", SpaceLocalIndex: "local index", SpaceLock: "lock", SpaceSize: "size",
	SpaceTransaction: "transaction", SpaceLog: "log", SpaceExpiry: "expiry", SpacePart: "part", SpaceRaft: "raft",
	SpaceNode: "node",
}

// String is the name of the space in DESIGN §4.
func (s Space) String() string { return spaceNames[s] }

func describeNumber(b *strings.Builder, label string, rest []byte) []byte {
	if len(rest) < idBytes {
		b.WriteString(" ?" + hex.EncodeToString(rest))
		return nil
	}
	fmt.Fprintf(b, "%s %d", label, binary.BigEndian.Uint64(rest))
	return rest[idBytes:]
}

func describeSuffix(b *strings.Builder, suffix []byte) {
	describeComponents(b, describeToken(b, suffix))
}

// describeIndex has a partition key of one component: only base tables have local indexes.
func describeIndex(b *strings.Builder, rest []byte) {
	rest = describeToken(b, rest)
	n, ok := componentLen(rest)
	if !ok || len(rest) < n+4 {
		describeComponents(b, rest)
		return
	}
	describeComponents(b, rest[:n])
	fmt.Fprintf(b, " index %d", binary.BigEndian.Uint32(rest[n:]))
	describeComponents(b, rest[n+4:])
}

func describeToken(b *strings.Builder, rest []byte) []byte {
	n := min(len(rest), TokenBytes)
	if n > 0 {
		b.WriteString(" token " + hex.EncodeToString(rest[:n]))
	}
	return rest[n:]
}

func describeComponents(b *strings.Builder, rest []byte) {
	for _, component := range components(rest) {
		b.WriteString(" " + component)
	}
}

// Show writes the values of a suffix for a person, a string each; of a suffix that was cut off, the last in hexadecimal.
func Show(suffix []byte) []string { return components(suffix[min(len(suffix), TokenBytes):]) }

// ShowBound is Show for a partition's bound, which may lie behind a key and all that begins like it: then it shows that key.
func ShowBound(bound []byte) (shown []string, behind bool) {
	shown = Show(bound)
	last := len(bound) - 1
	if len(shown) == 0 || shown[len(shown)-1][0] != unread || bound[last] != terminator+1 {
		return shown, false
	}
	key := bytes.Clone(bound)
	key[last] = terminator
	return Show(key), true
}

// unread begins what is shown of bytes that are no value.
const unread = '?'

func components(rest []byte) (shown []string) {
	for len(rest) > 0 {
		tag, value, after, ok := readComponent(rest)
		switch {
		case !ok:
			return append(shown, string(unread)+hex.EncodeToString(rest))
		case tag == tagNumber:
			shown = append(shown, "N:"+string(attr.Number(value).Append(nil)))
		case tag == tagString:
			shown = append(shown, "S:"+strconv.Quote(string(value)))
		default:
			shown = append(shown, "B:"+hex.EncodeToString(value))
		}
		rest = after
	}
	return shown
}
