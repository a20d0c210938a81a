package expr

import (
	"strings"

	"stator/internal/model/attr"
)

// KeyOp is a comparison a key condition may use.
type KeyOp byte

// The comparisons of key conditions. All but Between hold one value, and Unindexable any number.
const (
	Unindexable KeyOp = iota // what KeyConditions may say, although no key is found by it
	EQ
	LT
	LE
	GT
	GE
	Between
	BeginsWith
)

// KeyPart is the condition on one key attribute.
type KeyPart struct {
	Name   string
	Op     KeyOp
	Values []attr.Value
}

// KeyCondition is a parsed key condition, its parts in text order. Whether they fit a key schema is for the caller to decide.
type KeyCondition struct {
	Parts []KeyPart

	fault error // what Check finds; there are no parts beside it
}

// ParseKeyCondition parses a KeyConditionExpression as a condition. Errors are *Error.
func ParseKeyCondition(text string, n *Names) (*KeyCondition, error) {
	tree, b, err := bindCondition(KeyConditionExpression, text, n)
	if err != nil {
		return nil, err
	}
	k := keyReader{bound: &b}
	if fault := k.read(tree.root); fault != "" {
		return &KeyCondition{fault: KeyConditionExpression.refuse(fault)}, nil
	}
	return &KeyCondition{Parts: k.parts}, nil
}

// Check refuses a condition that is none on keys. It stands apart from parsing because DynamoDB says so only when all expressions of a
// request are parsed (semantics §16 Query). Errors are *Error.
func (k *KeyCondition) Check() error { return k.fault }

// ParseSearchCondition parses a SearchConditionExpression: equalities joined by AND. Errors are *Error.
func ParseSearchCondition(text string, n *Names) (*KeyCondition, error) {
	tree, b, err := bindCondition(SearchConditionExpression, text, n)
	if err != nil {
		return nil, err
	}
	for _, leaf := range tree.leaves {
		if leaf.op != opEQ {
			return nil, SearchConditionExpression.refuse(textSearchComparator)
		}
	}
	k := keyReader{bound: &b}
	if fault := k.read(tree.root); fault != "" {
		return nil, SearchConditionExpression.refuse(strings.ReplaceAll(fault, "KeyConditionExpression", "SearchConditionExpression"))
	}
	return &KeyCondition{Parts: k.parts}, nil
}

const textSearchComparator = "Invalid comparator used in SearchConditionExpression"

// keyReader takes a condition for a key condition. It reads the tree from the root, left to right, and stops at the first thing a key condition may not
// have (semantics §8.15).
type keyReader struct {
	bound *bound
	parts []KeyPart
}

var keyOps = map[op]KeyOp{opEQ: EQ, opLT: LT, opLE: LE, opGT: GT, opGE: GE, opBetween: Between, opBeginsWith: BeginsWith}

// mirrored are the comparisons with their sides exchanged.
var mirrored = map[KeyOp]KeyOp{EQ: EQ, LT: GT, LE: GE, GT: LT, GE: LE}

func (k *keyReader) read(n *node) string {
	switch n.op {
	case opAnd:
		for _, kid := range n.kids {
			if fault := k.read(kid); fault != "" {
				return fault
			}
		}
		return ""
	case opOr:
		return keyOperatorText("OR")
	case opNot:
		return keyOperatorText("NOT")
	}
	if _, usable := keyOps[n.op]; !usable {
		return keyOperatorText(n.name)
	}
	return k.leaf(n)
}

func keyOperatorText(operator string) string {
	return "Invalid operator used in KeyConditionExpression: " + operator
}

const textInKeyCondition = "Invalid condition in KeyConditionExpression: "

func (k *keyReader) leaf(n *node) string {
	part := KeyPart{Op: keyOps[n.op]}
	if (part.Op == Between || part.Op == BeginsWith) && n.args[0].kind != operandPath {
		return textInKeyCondition + n.name + " operator must have the key attribute as its first operand"
	}
	named := false
	for i, arg := range n.args {
		switch arg.kind {
		case operandValue:
			part.Values = append(part.Values, k.bound.values[arg.at])
			continue
		case operandCall:
			return "KeyConditionExpressions cannot contain nested operations"
		case operandPath:
		}
		path := k.bound.paths[arg.at]
		switch {
		case named:
			return textInKeyCondition + "Multiple attribute names used in one condition"
		case len(path) > 1:
			return "KeyConditionExpressions cannot have conditions on nested attributes"
		}
		part.Name, named = path[0].Name, true
		if i > 0 {
			part.Op = mirrored[part.Op]
		}
	}
	if !named {
		return textInKeyCondition + "No key attribute specified"
	}
	for _, other := range k.parts {
		if other.Name == part.Name {
			return "KeyConditionExpressions must only contain one condition per key"
		}
	}
	k.parts = append(k.parts, part)
	return ""
}
