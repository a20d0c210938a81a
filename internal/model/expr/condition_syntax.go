package expr

var conditionGrammar = grammar{
	kind:     "a condition",
	keywords: []string{"AND", "OR", "NOT", "BETWEEN", "IN"},
	functions: map[string]op{
		"attribute_exists":     opExists,
		"attribute_not_exists": opNotExists,
		"attribute_type":       opType,
		"begins_with":          opBeginsWith,
		"contains":             opContains,
		"size":                 opUnknown,
	},
	regroup:  true,
	nestable: func(name string) bool { return name == "size" },
}

// arities are the operand counts of the functions of conditions and updates.
var arities = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1,
	"if_not_exists": 2, "list_append": 2, "+": 2, "-": 2,
}

// parseCondition gives the tree of a condition, or the fault DynamoDB names first: grammar, then the number of operators, parentheses, functions that
// do not exist, functions out of place, reserved words, paths that are too long (semantics §8.5). Without a fault at most 300 nodes lie on one path through the tree, so that its
// walkers may recurse.
func parseCondition(text string) (*conditionTree, string) {
	e := &expression{parser: newParser(text), grammar: &conditionGrammar, base: levelCondition}
	t, ok := e.read()
	var root *node
	if ok && e.peek().kind == tokenEnd {
		root, ok = e.condition(t)
	} else {
		ok = false
	}
	if !ok {
		return nil, e.syntaxError()
	}
	if fault := first(e.tooMany(), e.redundant(), e.unknown, e.misused, e.step, e.tooDeep()); fault != "" {
		return nil, fault
	}
	return &conditionTree{tables: e.seal(), root: root, leaves: e.leaves}, ""
}
