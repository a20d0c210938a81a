package expr

import (
	"encoding/binary"
	"errors"
	"slices"
	"unicode/utf8"

	"stator/internal/base/wire"
	"stator/internal/model/attr"
)

// Compiled expressions have a byte form, in which they go to the node that evaluates them. It is of what was bound and checked, not of the text: that node
// asks nothing again, so that two releases which would refuse different texts still evaluate one alike. What could not have passed the checks of any
// release, and would break an evaluation, is no such form.
//
// The names of all paths are written first and together: all of them are pieces of one string then.

// ErrMalformed is the error of bytes that are no compiled expression.
var ErrMalformed = errors.New("malformed expression")

// binaryFormat is the first byte. A new layout gets a new number.
const binaryFormat byte = 1

// binaryDepthMax is how deeply conditions and calls may lie in each other, and how many steps a path may have: no fewer than fit a PartiQL statement.
const binaryDepthMax = 8192

// argsMax is how many operands of a leaf, or conditions of a connective, are made room for before they were seen.
const argsMax = 4

// functionCodes are the functions of operands by their code.
var functionCodes = [...]string{1: "size", 2: "+", 3: "-", 4: "if_not_exists", 5: "list_append"}

// appendParts appends the tables that operands point into.
func appendParts(dst []byte, paths []Path, values []attr.Value) []byte {
	dst = appendPaths(append(dst, binaryFormat), paths)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, value := range values {
		dst = wire.AppendBytes(dst, value)
	}
	return dst
}

func appendPaths(dst []byte, paths []Path) []byte {
	elements, bytes := 0, 0
	for _, path := range paths {
		elements += len(path)
		for _, element := range path {
			bytes += len(element.Name)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(bytes))
	for _, path := range paths {
		for _, element := range path {
			dst = append(dst, element.Name...)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(paths)))
	dst = binary.AppendUvarint(dst, uint64(elements))
	for _, path := range paths {
		dst = binary.AppendUvarint(dst, uint64(len(path)))
		for _, element := range path {
			if element.Indexed {
				dst = binary.AppendUvarint(dst, uint64(element.Index)<<1|1)
			} else {
				dst = binary.AppendUvarint(dst, uint64(len(element.Name))<<1)
			}
		}
	}
	return dst
}

func appendOperand(dst []byte, o operand) []byte {
	dst = append(dst, byte(o.kind))
	switch o.kind {
	case operandPath, operandValue:
		return binary.AppendUvarint(dst, uint64(o.at))
	case operandTest:
		return appendNode(dst, o.test)
	case operandCall:
		dst = append(dst, byte(slices.Index(functionCodes[:], o.call.name)))
		for _, arg := range o.call.args {
			dst = appendOperand(dst, arg)
		}
	}
	return dst
}

// decoder reads the byte form of one expression.
type decoder struct {
	wire.Reader

	paths  []Path
	values []attr.Value
	update bool // else a condition
}

// decodeParts begins the reading of b.
func decodeParts(b []byte, update bool) decoder {
	d := decoder{Reader: wire.NewReader(b), update: update}
	if d.Byte() != binaryFormat {
		d.Fail()
	}
	d.decodePaths()
	if count := d.Count(1); count > 0 {
		d.values = make([]attr.Value, count)
	}
	for i := range d.values {
		if d.values[i] = d.Bytes(); d.values[i] != nil && attr.CheckValue(d.values[i]) != nil {
			d.Fail()
		}
	}
	return d
}

func (d *decoder) decodePaths() {
	names := d.Text()
	count := d.Count(2)
	elements := d.Count(1)
	if count > 0 {
		d.paths = make([]Path, count)
	}
	backing := make([]Element, elements)
	for i := range d.paths {
		n := d.Count(1)
		if n == 0 || n > min(len(backing), binaryDepthMax) {
			d.Fail()
			return
		}
		path := backing[:n:n]
		backing = backing[n:]
		for j := range path {
			names = d.element(&path[j], names)
		}
		if path[0].Indexed {
			d.Fail()
		}
		d.paths[i] = path
	}
	if len(backing) > 0 || names != "" {
		d.Fail()
	}
}

// element reads one step of a path, and gives the names that are left.
func (d *decoder) element(into *Element, names string) string {
	n := d.Uvarint()
	switch at := n >> 1; {
	case n&1 == 1 && at <= pathIndexesMax:
		*into = Element{Index: int(at), Indexed: true}
	case n&1 == 0 && at <= uint64(len(names)) && utf8.ValidString(names[:at]):
		into.Name, names = names[:at], names[at:]
	default:
		d.Fail()
	}
	return names
}

// operand reads an operand that lies in depth others.
func (d *decoder) operand(depth int) operand {
	o := operand{kind: operandKind(d.Byte())}
	switch {
	case o.kind == operandPath:
		o.at = d.place(len(d.paths))
	case o.kind == operandValue:
		if o.at = d.place(len(d.values)); !d.Failed() && len(d.values[o.at]) == 0 {
			d.Fail()
		}
	case o.kind == operandCall:
		o.call = d.call(depth + 1)
	case o.kind == operandTest && !d.update:
		o.test = d.node(depth + 1)
	default:
		d.Fail()
	}
	return o
}

// place reads an index below n.
func (d *decoder) place(n int) int {
	at := d.Uvarint()
	if at >= uint64(n) {
		d.Fail()
		return 0
	}
	return int(at)
}

func (d *decoder) call(depth int) *call {
	code := int(d.Byte())
	if depth > binaryDepthMax || code == 0 || code >= len(functionCodes) || (functionCodes[code] == "size") == d.update {
		d.Fail()
		return nil
	}
	c := &call{name: functionCodes[code]}
	c.args = make([]operand, arities[c.name])
	for i := range c.args {
		c.args[i] = d.operand(depth)
	}
	if c.name == "if_not_exists" && c.args[0].kind != operandPath {
		d.Fail()
	}
	return c
}
