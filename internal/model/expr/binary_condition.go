package expr

import "encoding/binary"

// leafArities are the operand counts of leaves; an IN has one and any number of candidates.
var leafArities = [...]int{
	opEQ: 2, opNE: 2, opLT: 2, opLE: 2, opGT: 2, opGE: 2, opBetween: 3, opExists: 1, opNotExists: 1, opType: 2, opBeginsWith: 2, opContains: 2,
}

// AppendBinary appends the condition's byte form to dst: format ‖ names ‖ paths ‖ values ‖ the tree, each node before what is in it. How messages spell a
// leaf does not go along: its checks are over.
func (c *Condition) AppendBinary(dst []byte) []byte {
	dst = appendParts(dst, c.paths, c.values)
	if c.root == nil {
		return append(dst, 0)
	}
	return appendNode(dst, c.root)
}

func appendNode(dst []byte, n *node) []byte {
	dst = append(dst, byte(n.op))
	switch n.op {
	case opAnd, opOr:
		dst = binary.AppendUvarint(dst, uint64(len(n.kids)))
	case opIn:
		dst = binary.AppendUvarint(dst, uint64(len(n.args)))
	}
	for _, kid := range n.kids {
		dst = appendNode(dst, kid)
	}
	for _, arg := range n.args {
		dst = appendOperand(dst, arg)
	}
	return dst
}

// DecodeCondition reads what AppendBinary wrote. Values alias b. The error is ErrMalformed; it never panics.
func DecodeCondition(b []byte) (*Condition, error) {
	d := decodeParts(b, false)
	c := &Condition{}
	if d.rootAhead() {
		c.root = d.node(0)
	}
	if !d.Whole() {
		return nil, ErrMalformed
	}
	c.paths, c.values = d.paths, d.values
	return c, nil
}

// rootAhead tells whether there is a tree; of none it takes the mark.
func (d *decoder) rootAhead() bool {
	before := d.Reader
	if d.Byte() == 0 {
		return false
	}
	d.Reader = before
	return true
}

// node reads a node that lies in depth others.
func (d *decoder) node(depth int) *node {
	n := &node{op: op(d.Byte())}
	switch {
	case depth > binaryDepthMax:
		d.Fail()
	case n.op == opAnd || n.op == opOr:
		d.kids(n, d.Count(2), depth)
	case n.op == opNot:
		d.kids(n, 1, depth)
	case n.op == opIn:
		if count := d.Count(2); count > 0 {
			d.args(n, count, depth)
		} else {
			d.Fail()
		}
	case int(n.op) < len(leafArities) && leafArities[n.op] > 0:
		d.args(n, leafArities[n.op], depth)
	default:
		d.Fail()
	}
	return n
}

func (d *decoder) kids(n *node, count, depth int) {
	n.kids = make([]*node, 0, min(count, argsMax))
	for i := 0; i < count && !d.Failed(); i++ {
		n.kids = append(n.kids, d.node(depth+1))
	}
}

func (d *decoder) args(n *node, count, depth int) {
	n.args = make([]operand, 0, min(count, argsMax))
	for i := 0; i < count && !d.Failed(); i++ {
		n.args = append(n.args, d.operand(depth))
	}
}
