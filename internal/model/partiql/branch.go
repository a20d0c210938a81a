package partiql

import (
	"slices"

	"stator/internal/model/attr"
	"stator/internal/model/expr"
)

// Branch is one of the item collections, or one stretch of it, in which a condition can hold.
type Branch struct {
	// Hash is the value of the partition key.
	Hash attr.Value
	// Sort are the conditions on the sort key that bound the stretch, all of which hold.
	Sort []expr.KeyPart
	// Void tells that the condition contradicts itself about the partition key here.
	Void bool
	// Rest lists the top-level attributes that the branch's other conditions mention, each once, in text order; none when the stretch says it all.
	Rest []string
	// Open tells that one of them bounds the sort key from outside (NOT, <>): the branch may overlap others.
	Open bool
}

// branchesMax bounds the reads that one statement is decomposed into (semantics §4).
const branchesMax = 50

// Branches finds the stretches when the condition names values of the partition key whatever else holds; nil says that it does not, and that everything
// has to be looked at. sort is "" where there is no sort key. Errors are *Error.
func (w *Where) Branches(hash, sort string) ([]Branch, error) {
	if w == nil {
		return nil, nil
	}
	k := keyReader{where: w, hash: hash, sort: sort}
	if !k.pinned(w.root) {
		return nil, nil
	}
	if k.count(w.root) > branchesMax {
		return nil, &Error{"Too many decomposed read operations for a given query."}
	}
	ways := k.ways(w.root)
	branches := make([]Branch, len(ways))
	for i := range ways {
		branches[i] = k.branch(&ways[i])
	}
	return branches, nil
}

// keyReader reads a condition for what it says of a partition key and a sort key. It multiplies out no more of the condition than mentions them.
type keyReader struct {
	where      *Where
	hash, sort string
}

// way is one way for a condition to hold.
type way struct {
	hash []attr.Value
	sort []expr.KeyPart
	rest []*node
}

// pinned tells whether the partition key has one of some known values wherever the condition holds.
func (k *keyReader) pinned(n *node) bool {
	switch n.op {
	case nodeAnd:
		return slices.ContainsFunc(n.kids, k.pinned)
	case nodeOr:
		return !slices.ContainsFunc(n.kids, func(kid *node) bool { return !k.pinned(kid) })
	case nodeLeaf:
		name, _ := k.where.equated(n)
		return name == k.hash
	}
	return false
}

// count is how many ways there are. It stops counting past branchesMax.
func (k *keyReader) count(n *node) int {
	switch {
	case n.op == nodeAnd:
		product := 1
		for _, kid := range n.kids {
			product = min(product*k.count(kid), branchesMax+1)
		}
		return product
	case n.op == nodeOr && k.mentions(n):
		sum := 0
		for _, kid := range n.kids {
			sum = min(sum+k.count(kid), branchesMax+1)
		}
		return sum
	}
	if name, values := k.where.equated(n); k.key(name) {
		return len(values)
	}
	return 1
}

func (k *keyReader) key(name string) bool { return name != "" && (name == k.hash || name == k.sort) }

// ways multiplies a condition out.
func (k *keyReader) ways(n *node) []way {
	switch {
	case n.op == nodeAnd:
		all := []way{{}}
		for _, kid := range n.kids {
			all = product(all, k.ways(kid))
		}
		return all
	case n.op == nodeOr && k.mentions(n):
		var all []way
		for _, kid := range n.kids {
			all = append(all, k.ways(kid)...)
		}
		return all
	}
	if name, values := k.where.equated(n); k.key(name) {
		return k.equal(name, values)
	}
	if part, ok := k.bound(n); ok {
		return []way{{sort: []expr.KeyPart{part}}}
	}
	return []way{{rest: []*node{n}}}
}

func product(left, right []way) []way {
	all := make([]way, 0, len(left)*len(right))
	for _, l := range left {
		for _, r := range right {
			all = append(all, way{
				hash: slices.Concat(l.hash, r.hash), sort: slices.Concat(l.sort, r.sort), rest: slices.Concat(l.rest, r.rest),
			})
		}
	}
	return all
}

func (k *keyReader) equal(name string, values []attr.Value) []way {
	ways := make([]way, len(values))
	for i, value := range values {
		if name == k.hash {
			ways[i].hash = []attr.Value{value}
		} else {
			ways[i].sort = []expr.KeyPart{{Name: name, Op: expr.EQ, Values: []attr.Value{value}}}
		}
	}
	return ways
}

var (
	keyOps = map[string]expr.KeyOp{
		"<": expr.LT, "<=": expr.LE, ">": expr.GT, ">=": expr.GE, "BETWEEN": expr.Between, "begins_with": expr.BeginsWith,
	}
	mirrored = map[expr.KeyOp]expr.KeyOp{expr.LT: expr.GT, expr.LE: expr.GE, expr.GT: expr.LT, expr.GE: expr.LE}
)

// bound reads a leaf that bounds the sort key.
func (k *keyReader) bound(n *node) (expr.KeyPart, bool) {
	part := expr.KeyPart{Name: k.sort, Op: keyOps[n.name]}
	if n.op != nodeLeaf || k.sort == "" || part.Op == 0 {
		return part, false
	}
	at := slices.IndexFunc(n.args, func(arg operand) bool { return attribute(arg) == k.sort })
	if at > 0 {
		part.Op = mirrored[part.Op]
	}
	if at < 0 || part.Op == 0 {
		return part, false
	}
	for i, arg := range n.args {
		if i == at {
			continue
		}
		value := known(arg, k.where.parameters)
		if value == nil {
			return part, false
		}
		part.Values = append(part.Values, value)
	}
	return part, true
}

func (k *keyReader) branch(w *way) Branch {
	b := Branch{Hash: w.hash[0], Sort: w.sort}
	for _, other := range w.hash[1:] {
		b.Void = b.Void || !attr.Equal(other, b.Hash)
	}
	for _, n := range w.rest {
		b.Open = b.Open || k.negates(n)
		visit(n, func(name string) {
			if !slices.Contains(b.Rest, name) {
				b.Rest = append(b.Rest, name)
			}
		})
	}
	return b
}

// negates tells whether a condition says which values the sort key has not.
func (k *keyReader) negates(n *node) bool {
	return k.sort != "" && (n.op == nodeNot || n.name == "<>") && mentions(n, k.sort)
}

// mentions tells whether a condition mentions a key attribute.
func (k *keyReader) mentions(n *node) bool {
	return mentions(n, k.hash) || k.sort != "" && mentions(n, k.sort)
}

func mentions(n *node, attribute string) bool {
	found := false
	visit(n, func(name string) { found = found || name == attribute })
	return found
}

// visit calls see for the top-level attribute of every path in a condition, in text order.
func visit(n *node, see func(name string)) {
	for _, kid := range n.kids {
		visit(kid, see)
	}
	visitOperands(n.args, see)
}

func visitOperands(args []operand, see func(name string)) {
	for _, arg := range args {
		switch arg.kind {
		case operandPath:
			see(arg.path[0].Name)
		case operandCall:
			visitOperands(arg.args, see)
		case operandTest:
			visit(arg.test, see)
		case operandValue, operandParameter:
		}
	}
}
