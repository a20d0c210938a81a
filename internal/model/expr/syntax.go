package expr

import (
	"slices"
	"strings"
)

// A syntax tree is what a text says before names and values are known: pure data, never changed after parsing, shared by every request that sends the
// same text. Paths and placeholders stand in tables, and the tree refers to them by index, so that binding a request fills two slices and copies no tree.

// operandKind says which table an operand's index points into.
type operandKind byte

const (
	operandPath  operandKind = iota + 1
	operandValue             // a :placeholder
	operandCall
	operandTest // whether a condition holds, as a BOOL; no text of this package has one
)

// operand is what a comparison, a function or the right side of SET works on.
type operand struct {
	kind operandKind
	at   int   // into tables.paths or tables.values
	call *call // for operandCall
	test *node // for operandTest
}

// call is a function with its arguments. In updates "+" and "-" are calls too.
type call struct {
	name string
	args []operand
}

// op is the kind of a condition's node.
type op byte

const (
	opAnd op = iota + 1
	opOr
	opNot
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween
	opIn
	opExists
	opNotExists
	opType
	opBeginsWith
	opContains
	opUnknown // a function that is none, or size() alone: parsed, then refused
)

// node is a condition: a connective over other nodes, or a leaf over operands.
type node struct {
	op   op
	name string // leaves: the operator or function as messages spell it
	kids []*node
	args []operand
}

// tables are the paths and placeholders of one text, in the order of their first appearance.
type tables struct {
	paths   []Path   // every mention; a Name that begins with # is an alias and its Index its place in aliases
	aliases []string // distinct, with the #
	values  []string // distinct, with the colon
	sorted  []int    // values in the order of their names, once seal was called
}

// addPath enters a mention of a path.
func (t *tables) addPath(p Path) int {
	for i, element := range p {
		if !element.aliased() {
			continue
		}
		at := slices.Index(t.aliases, element.Name)
		if at < 0 {
			at = len(t.aliases)
			t.aliases = append(t.aliases, element.Name)
		}
		p[i].Index = at
	}
	t.paths = append(t.paths, p)
	return len(t.paths) - 1
}

// addValue enters a placeholder.
func (t *tables) addValue(name string) int {
	if at := slices.Index(t.values, name); at >= 0 {
		return at
	}
	t.values = append(t.values, name)
	return len(t.values) - 1
}

// seal ends the parsing.
func (t *tables) seal() tables {
	t.sorted = make([]int, len(t.values))
	for i := range t.sorted {
		t.sorted[i] = i
	}
	slices.SortFunc(t.sorted, func(i, j int) int { return strings.Compare(t.values[i], t.values[j]) })
	return *t
}

// faults are what a text alone does wrong beyond its grammar: the first of each sort, because DynamoDB reports sorts in an order of its own.
type faults struct {
	operators int
	parens    bool
	unknown   string // "" none; else the message
	misused   string
	step      string // a reserved word, or an index beyond what one can be
	section   string
}

func note(first *string, text string) {
	if *first == "" {
		*first = text
	}
}

// conditionTree is the syntax of a condition, filter or key condition.
type conditionTree struct {
	tables
	root   *node
	leaves []*node // in text order
}

// projectionTree is the syntax of a projection.
type projectionTree struct{ tables }

// updateTree is the syntax of an update.
type updateTree struct {
	tables
	actions []actionSyntax
}

// actionSyntax is one assignment, removal, addition or deletion. path is an index into tables.paths; value is unused by REMOVE.
type actionSyntax struct {
	clause clause
	path   int
	value  operand
}

// clause is the section of an update an action stands in.
type clause byte

const (
	clauseSet clause = iota + 1
	clauseRemove
	clauseAdd
	clauseDelete
)

var clauseNames = [...]string{clauseSet: "SET", clauseRemove: "REMOVE", clauseAdd: "ADD", clauseDelete: "DELETE"}

func (c clause) String() string { return clauseNames[c] }
