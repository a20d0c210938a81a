package api

import (
	"strconv"
	"strings"
)

// path says where in the input a structure stands: a chain from the structure up to the input, whose path is nil. One
// step is a member's name, a list's index or a map's key. The generated checks keep it on the stack.
type path struct {
	up    *path
	name  string
	key   string
	index int // from 1 on
}

// spelling is how member names appear in a path.
type spelling bool

const (
	lowered  spelling = false // tableName
	verbatim spelling = true  // TableName
)

// appendField appends the path of a member of the structure at p.
func (p *path) appendField(dst []byte, name string, s spelling) []byte {
	dst = p.append(dst, s)
	return appendName(dst, name, s)
}

// append appends the path with a trailing dot.
func (p *path) append(dst []byte, s spelling) []byte {
	if p == nil {
		return dst
	}
	dst = p.up.append(dst, s)
	switch {
	case p.name != "":
		dst = appendName(dst, p.name, s)
	case p.index > 0:
		dst = strconv.AppendInt(dst, int64(p.index), 10)
		dst = append(dst, ".member"...)
	default:
		dst = append(dst, p.key...)
		dst = append(dst, ".member"...)
	}
	return append(dst, '.')
}

func appendName(dst []byte, name string, s spelling) []byte {
	if s == verbatim {
		return append(dst, name...)
	}
	dst = append(dst, strings.ToLower(name[:1])...)
	return append(dst, name[1:]...)
}
