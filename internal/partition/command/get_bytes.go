package command

import (
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
)

// AppendGet appends a get's bytes to dst: format ‖ strong ‖ table ‖ table version ‖ key.
func AppendGet(dst []byte, g *Get) []byte {
	dst = appendBool(append(slices.Grow(dst, headBytes+len(g.Key)), wireFormat), g.Strong)
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, g.Table), g.TableVersion)
	return wire.AppendBytes(dst, g.Key)
}

// ParseGet reads what AppendGet wrote. The key points into b. The error is ErrMalformed.
func ParseGet(b []byte) (Get, error) {
	r := begin(b)
	g := Get{Strong: takeBool(&r), Table: r.Uvarint(), TableVersion: r.Uvarint(), Key: r.Bytes()}
	if err := ended(&r); err != nil {
		return Get{}, err
	}
	return g, nil
}

// AppendGetResult appends the bytes of what a get found to dst: format ‖ size ‖ item.
func AppendGetResult(dst []byte, g *GetResult) []byte {
	dst = append(slices.Grow(dst, headBytes+len(g.Item)), wireFormat)
	return wire.AppendBytes(binary.AppendVarint(dst, int64(g.Size)), g.Item)
}

// ParseGetResult reads what AppendGetResult wrote. The item points into b. The error is ErrMalformed.
func ParseGetResult(b []byte) (GetResult, error) {
	r := begin(b)
	g := GetResult{Size: int(r.Varint()), Item: r.Bytes()}
	if err := ended(&r); err != nil {
		return GetResult{}, err
	}
	return g, nil
}

// AppendMultiGet appends the bytes of a get of several items to dst: format ‖ table ‖ table version ‖ keys.
func AppendMultiGet(dst []byte, g *MultiGet) []byte {
	dst = binary.AppendUvarint(append(dst, wireFormat), g.Table)
	return appendKeys(binary.AppendUvarint(dst, g.TableVersion), g.Keys)
}

// ParseMultiGet reads what AppendMultiGet wrote. The keys point into b. The error is ErrMalformed.
func ParseMultiGet(b []byte) (MultiGet, error) {
	r := begin(b)
	g := MultiGet{Table: r.Uvarint(), TableVersion: r.Uvarint(), Keys: takeKeys(&r)}
	if err := ended(&r); err != nil {
		return MultiGet{}, err
	}
	return g, nil
}

// AppendSeen appends the bytes of what a MultiGet found to dst: format ‖ number ‖ of each whether it is locked, its item,
// size, version, last deletion, and who has locked it.
func AppendSeen(dst []byte, seen []Seen) []byte {
	size := headBytes
	for i := range seen {
		size += headBytes + len(seen[i].Item)
	}
	dst = binary.AppendUvarint(append(slices.Grow(dst, size), wireFormat), uint64(len(seen)))
	for i := range seen {
		s := &seen[i]
		locked := s.Holder != TransactionID{}
		dst = wire.AppendBytes(appendBool(dst, locked), s.Item)
		dst = binary.AppendVarint(dst, int64(s.Size))
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, s.Version), s.LastDelete)
		if locked {
			dst = append(dst, s.Holder[:]...)
		}
	}
	return dst
}

// ParseSeen reads what AppendSeen wrote. The items point into b. The error is ErrMalformed.
func ParseSeen(b []byte) ([]Seen, error) {
	r := begin(b)
	seen := many[Seen](&r, 5)
	for i := range seen {
		locked := takeBool(&r)
		seen[i] = Seen{Item: r.Bytes(), Size: int(r.Varint()), Version: r.Uvarint(), LastDelete: r.Uvarint()}
		if locked {
			seen[i].Holder = takeID(&r)
		}
	}
	if err := ended(&r); err != nil {
		return nil, err
	}
	return seen, nil
}
